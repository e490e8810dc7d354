/** In what way a polygon is wrong: of another class, beside its place, or drawn as a part of what stands beside it. */
export type Mistake = "other class" | "shifted" | "merged";
