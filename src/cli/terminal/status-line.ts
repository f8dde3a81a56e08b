import type { View } from "../view/view.ts";

/** How far it is, as it stands on standard error. */
export function statusLine<Event, State>(view: View<Event, State>, state: State): string {
  return `fanfold: ${view.status(state)}`;
}
