/** `npm run docs`: writes docs/commands.md from the definitions of the commands. */
import { writeFileSync } from "node:fs";
import { commandsPage } from "./docs/commands-page.ts";

writeFileSync(new URL("../docs/commands.md", import.meta.url), commandsPage());
