import type { CopyProgress } from "../../protocol/messages/progress.ts";
import { type CopyState, nextCopy, receivedBytes } from "../../words/copy-state.ts";
import { copyLines, copyProgressLine } from "./copy-lines.ts";
import { fitEnd } from "./text/fit.ts";
import type { View } from "./view.ts";

export interface ReadingState {
  /** Undefined before the first files are read, and at the end. */
  readonly copy: CopyState | undefined;
  readonly ended: boolean;
}

interface ReadingOptions<Event> {
  /** What is done before the first files are read. */
  readonly first: string;
  /** What is done then. */
  readonly doing: string;
  /** Name of the command, before its lines of progress. */
  readonly name: string;
  /** Undefined for an event that tells of none. */
  readonly progressOf: (event: Event) => CopyProgress | undefined;
  readonly messages: View<Event, ReadingState>["messages"];
}

/** How a command looks that reads a whole directory, and sends nothing. */
export function readingView<Event extends { readonly type: string }>({
  first,
  doing,
  name,
  progressOf,
  messages,
}: ReadingOptions<Event>): View<Event, ReadingState> {
  return {
    initial: { copy: undefined, ended: false },
    next(state, event, nowMs) {
      if (event.type === "finished") return { copy: undefined, ended: true };
      const progress = progressOf(event);
      if (progress === undefined) return state;
      return { ...state, copy: nextCopy(state.copy, { progress, moved: receivedBytes, nowMs }) };
    },
    messages,
    screen({ copy, ended }, { columns }, style) {
      if (ended) return { kind: "none" };
      if (copy === undefined) return { kind: "waiting", text: fitEnd(first, columns) };
      return { kind: "lines", lines: copyLines(copy, columns, style) };
    },
    status({ copy, ended }) {
      if (ended) return "finishing";
      return copy === undefined ? first : `${doing}: ${copyProgressLine(copy)}`;
    },
    progressLines({ copy }) {
      return copy === undefined ? new Map() : new Map([[name, copyProgressLine(copy)]]);
    },
  };
}
