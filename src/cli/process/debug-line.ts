import { escapeText } from "../../lib/escape-name.ts";

/** `fanfold: debug: sent page (entries=12, bytes=900)` */
export function debugLine(message: string, fields: Readonly<Record<string, unknown>> = {}): string {
  const shown = Object.entries(fields).map(
    ([name, value]) => `${name}=${typeof value === "string" ? value : (JSON.stringify(value) ?? String(value))}`,
  );
  return `fanfold: debug: ${escapeText(message + (shown.length === 0 ? "" : ` (${shown.join(", ")})`))}`;
}
