import { guardProcess, main, processIo, taken } from "./cli/main.ts";

/** How long a connection or a timer that somebody forgot may hold the process once its work is done. */
const LINGER_MS = 2000;

const args = process.argv.slice(2);
const io = processIo();
guardProcess(io, args);
process.exitCode = await main(args, io);
await taken(io);
setTimeout(() => process.exit(), LINGER_MS).unref();
