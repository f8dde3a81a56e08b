import { walkTree } from "../trees/walk-tree.ts";

/** Walks the folder named by the argument, and prints what came out besides pages, and the number of entries. */

const outputs = [...walkTree(Buffer.from(process.argv[2] ?? ""))];
const entries = outputs.reduce((sum, output) => sum + (output.type === "page" ? output.entries : 0), 0);
process.stdout.write(JSON.stringify({ entries, notices: outputs.filter(({ type }) => type !== "page") }));
