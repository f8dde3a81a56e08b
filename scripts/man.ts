/** Part of `npm run build`: writes the man pages into dist/man, and prints the names of the files that it made in dist. */
import { mkdirSync, writeFileSync } from "node:fs";
import { manPages } from "./docs/man-pages.ts";

const folder = new URL("../dist/man/", import.meta.url);
mkdirSync(folder, { recursive: true });
for (const [name, text] of manPages()) {
  writeFileSync(new URL(name, folder), text);
  process.stdout.write(`man/${name}\n`);
}
