const HEAD = ["what", "ours", "peer", "ratio", "goal", ""];

/**
 * Returns the cells of the table: the rows of each part, or one that says why there are none.
 *
 * @param {readonly import("./run-parts.mjs").PartResult[]} results
 * @returns {string[][]}
 */
export function tableCells(results) {
  return [HEAD, ...results.flatMap(cellsOf)];
}

function cellsOf({ name, state, reason, rows }) {
  const cells = rows.map(({ what, ours, peer = "", ratio = "", goal = "", isReached }) => [
    what,
    ours,
    peer,
    ratio,
    goal,
    isReached === false ? "missed" : "ok",
  ]);
  const isSaid = state === "ok" && rows.length > 0;
  return isSaid ? cells : [...cells, [name, "", "", "", "", reason ? `${state}: ${reason}` : state]];
}
