import { useEffect, useState } from "preact/hooks";
import { getJson, type Query } from "./server.ts";

/** What the server said: nothing yet, an answer, or why there is none. */
export interface Answer<T> {
  readonly data: T | null;
  readonly error: string | null;
}

/**
 * Asks the server, and again whenever the question or `again` changes; the answer before stays until the next is there.
 *
 * @param path - Null asks nothing.
 */
export function useAnswer<T>(path: string | null, query: Query = {}, again: unknown = null): Answer<T> {
  const question = path === null ? null : `${path} ${JSON.stringify(query)}`;
  const [answer, setAnswer] = useState<Answer<T> & { question: string | null }>({
    data: null,
    error: null,
    question,
  });
  useEffect(() => {
    if (path === null) {
      setAnswer({ data: null, error: null, question });
      return;
    }
    const control = new AbortController();
    getJson<T>(path, query, control.signal)
      .then((data) =>
        // What is still the same stays the same object: nothing is drawn anew.
        setAnswer((before) =>
          again !== null && before.error === null && JSON.stringify(before.data) === JSON.stringify(data)
            ? before
            : { data, error: null, question },
        ),
      )
      .catch((error: Error) => {
        if (!control.signal.aborted) setAnswer({ data: null, error: error.message, question });
      });
    return () => control.abort();
  }, [question, again]);
  return answer;
}
