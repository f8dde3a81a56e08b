/** `npm run docs`: writes docs/commands.md, and the list of man pages in package.json, from the definitions of the commands. */
import { readFileSync, writeFileSync } from "node:fs";
import { commandsPage } from "./docs/commands-page.ts";
import { withManPages } from "./docs/man-pages.ts";

writeFileSync(new URL("../docs/commands.md", import.meta.url), commandsPage());
const settings = new URL("../package.json", import.meta.url);
writeFileSync(settings, withManPages(readFileSync(settings, "utf8")));
