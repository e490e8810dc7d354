import { useEffect, useRef, useState } from "preact/hooks";
import type { ImagePage, ImageRow } from "../../src/api.ts";
import { percent } from "../core/format.ts";
import { addressOf, getJson, type Query } from "../core/server.ts";
import { Scrollable, scrollWithin } from "../shell/parts.tsx";

const PAGE = 60;

/** The images of a set in an order, as many as have been asked for. */
export interface ImageList {
  readonly rows: readonly ImageRow[];
  readonly total: number;
  readonly error: string | null;
  readonly isRead: boolean;
  readonly readMore: () => void;
}

/** Reads the images of a set, page after page. @param query - Null reads nothing. */
export function useImages(query: Query | null): ImageList {
  const [state, setState] = useState<Omit<ImageList, "readMore">>({
    rows: [],
    total: 0,
    error: null,
    isRead: false,
  });
  const question = JSON.stringify(query);
  const asked = useRef("");
  const read = (offset: number) => {
    if (query === null) return;
    const mine = `${question} ${offset}`;
    if (asked.current === mine) return;
    asked.current = mine;
    getJson<ImagePage>("images", { ...query, offset, limit: PAGE })
      .then(({ rows, total }) => {
        if (asked.current !== mine) return;
        setState((before) => ({
          rows: offset === 0 ? rows : [...before.rows, ...rows],
          total,
          error: null,
          isRead: true,
        }));
      })
      .catch((error: Error) => {
        if (asked.current === mine) setState({ rows: [], total: 0, error: error.message, isRead: true });
      });
  };
  useEffect(() => {
    asked.current = "";
    if (query === null) setState({ rows: [], total: 0, error: null, isRead: false });
    else read(0);
  }, [question]);
  return { ...state, readMore: () => state.rows.length < state.total && read(state.rows.length) };
}

/** Small pictures of the images, in their order; one is current. */
export function Thumbnails({
  set,
  list,
  current,
  asked,
  onChoose,
}: {
  readonly set: string;
  readonly list: ImageList;
  readonly current: ImageRow | null;
  /** What the order's own figure is. */
  readonly asked: ((value: number) => string) | null;
  readonly onChoose: (row: ImageRow) => void;
}) {
  const end = useRef<HTMLDivElement>(null);
  const more = useRef(list.readMore);
  more.current = list.readMore;
  useEffect(() => {
    const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting && more.current());
    observer.observe(end.current!);
    return () => observer.disconnect();
  }, []);
  useEffect(() => scrollWithin(".thumbnails"), [current?.index]);
  return (
    <Scrollable class="thumbnails" label="Images">
      {list.rows.map((row) => (
        <button
          type="button"
          key={row.index}
          aria-current={row.index === current?.index ? "true" : undefined}
          onClick={() => onChoose(row)}
        >
          <img
            src={addressOf("thumbnail", { set, image: row.index })}
            alt=""
            loading="lazy"
            width="144"
            height={Math.round((144 * row.size[0]) / row.size[1])}
          />
          <span class="thumbnail-name">{row.name}</span>
          <span class="soft">{figures(row, asked)}</span>
        </button>
      ))}
      <div ref={end} class="end" />
    </Scrollable>
  );
}

function figures(
  { mIoU, disagreement, quality, asked: value }: ImageRow,
  asked: ((value: number) => string) | null,
) {
  return [
    ...(asked && value !== null ? [asked(value)] : []),
    ...(mIoU === null ? [] : [`mIoU ${percent(mIoU)}`]),
    ...(mIoU === null && disagreement !== null ? [`differs ${percent(disagreement)} %`] : []),
    ...(quality === null ? [] : [`quality ${quality.toFixed(2)}`]),
  ].join(" · ");
}
