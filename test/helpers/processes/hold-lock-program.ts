/** Takes the lock of the folder of the first argument, to read or to write as the second says, says so, and holds it until it is killed. */
import { Directories } from "../../../src/lib/disk/directories.ts";
import { lockOwnFolder } from "../../../src/sink/own/own-lock.ts";

const [folder = "", kind] = process.argv.slice(2);
const directories = Directories.open(Buffer.from(folder), process.platform);
const lock = lockOwnFolder(directories, { folder, kind: kind === "read" ? "read" : "write" });
process.stdout.write(`${lock === undefined ? "nothing" : lock && "taken"}\n`);
if (lock) setInterval(() => lock, 60_000);
