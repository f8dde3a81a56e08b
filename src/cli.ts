import { guardProcess, main, processIo, taken } from "./cli/main.ts";

/** How long a connection or a timer that somebody forgot may hold the process once its work is done. */
const LINGER_MS = 2000;

const args = process.argv.slice(2);
const io = processIo();
guardProcess(io, args);
void main(args, io).then(async (status) => {
  process.exitCode = status;
  await taken(io);
  // Where Node.js takes itself down, SIGUSR1 and its like are no longer caught for a moment, and would be the end that is told.
  process.on("exit", () => process.exit());
  setTimeout(() => process.exit(), LINGER_MS).unref();
});
