/** One plain TCP stream: `receive ADDRESS PORT FILE` takes one connection, `send ADDRESS PORT FILE` is its other end. */
import { once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import { connect, createServer } from "node:net";
import { pipeline } from "node:stream/promises";

const PART_BYTES = 1024 * 1024;
const [role, address = "", port, path = ""] = process.argv.slice(2);

if (role === "receive") {
  const server = createServer();
  server.listen(Number(port), address);
  await once(server, "listening");
  process.stdout.write("ready\n");
  const [socket] = await once(server, "connection");
  await pipeline(socket, createWriteStream(path));
  server.close();
} else {
  await pipeline(createReadStream(path, { highWaterMark: PART_BYTES }), connect(Number(port), address));
}
