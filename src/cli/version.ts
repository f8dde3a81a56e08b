import { readFileSync } from "node:fs";

/** The version of the package that this file stands in; the path is the same in `src` and in `dist`. */
export function packageVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  const found: unknown = JSON.parse(text);
  return typeof found === "object" && found !== null && "version" in found ? String(found.version) : "unknown";
}
