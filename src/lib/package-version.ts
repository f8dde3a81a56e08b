import { readFileSync } from "node:fs";

let version: string | undefined;

/** The version of the package that this file stands in. The path is the same in `src` and in `dist`. Read once. */
export function packageVersion(): string {
  version ??= read();
  return version;
}

function read(): string {
  try {
    const found: unknown = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
    return typeof found === "object" && found !== null && "version" in found ? String(found.version) : "unknown";
  } catch {
    // The package is just being replaced under this program.
    return "unknown";
  }
}
