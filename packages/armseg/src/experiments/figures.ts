import type { Cell, Experiment } from "./cell.ts";
import type { MethodName } from "./methods.ts";

function coarse(...methods: readonly MethodName[]): Cell[] {
  return methods.map((method) => ({ data: "coarse", network: "r101-deeplab", method, paper: {} }));
}

/** The paper's figures, and the study of the curve's convergence: what is trained for them. */
export const FIGURES = {
  figure4: {
    title: "Figure 4: where the variance is low",
    question: "Which pixels does a network that was trained on coarse labels not trust itself in?",
    cells: coarse("ce", "arm"),
  },
  figure5: {
    title: "Figure 5: mean loss by confidence",
    question:
      "How does the loss on coarse labels fall with the confidence, and does reweighting change that?",
    cells: coarse("ce", "linear", "arm"),
  },
  convergence: {
    title: "Convergence of the weight curve",
    question:
      "How soon does W(u) reach Hölder's optimum L^(1/(p−1)), and what learning rate does the curve need in a short training?",
    cells: coarse("arm-x1", "arm-x3", "arm-x10", "arm-x30", "arm-x100", "arm-p3-x10", "arm-p3-x100"),
  },
} as const satisfies Record<string, Experiment>;

export type FigureName = keyof typeof FIGURES;
