import { Socket, type SocketConstructorOpts } from "node:net";
import type { Duplex } from "node:stream";
import { loadTls } from "../../lib/tls/load-tls.ts";

/** Who says where bytes of a socket are to be put, and takes them. */
export interface SocketReader {
  target(): Uint8Array;
  /** So many bytes are at the beginning of what `target` gave. */
  read(bytes: number, target: Uint8Array): void;
  /** Bytes that came in memory of their own. */
  push(chunk: Uint8Array): void;
}

/** What is underneath a socket of node:net. Neither it nor the option by which a socket takes one over is documented. */
interface SocketHandle {
  reading: boolean;
  readStop(): number;
}
interface HandleOwner {
  _handle: SocketHandle | null;
}

/**
 * Reads an accepted socket into memory that its reader chooses. Node.js puts what comes on such a socket into a new 64 KiB
 * each time. That kept the garbage collector busy for a third of the relay's time, and over TLS, where pieces have 16 KiB,
 * for as much. Node.js offers `onread` to sockets that connect only. So the connection gets a second socket with that
 * option on the same handle. Without such a handle it is read as it comes. Returns the socket to be used from now on.
 */
export function readInto(socket: Duplex, reader: SocketReader): Duplex {
  const handle = handleOf(socket);
  if (handle === undefined) {
    socket.on("data", (chunk: Buffer) => reader.push(chunk));
    return socket;
  }
  handle.readStop();
  handle.reading = false;
  const onread = {
    buffer: () => reader.target(),
    callback: (bytes: number, target: Uint8Array): boolean => {
      reader.read(bytes, target);
      return true;
    },
  };
  const taken = new Socket({ handle, onread } as unknown as SocketConstructorOpts);
  // The first socket is what the server knows: it ends with the connection, and the connection with it.
  (socket as unknown as HandleOwner)._handle = null;
  taken.once("close", () => socket.destroy());
  socket.once("close", () => taken.destroy());
  return taken;
}

/** That of a socket that decrypts gives the plain bytes. No other socket over a socket is known here. */
function handleOf(socket: Duplex): SocketHandle | undefined {
  const prototype: unknown = Object.getPrototypeOf(socket);
  const isSecure = "encrypted" in socket && prototype === loadTls().TLSSocket.prototype;
  const isKind = prototype === Socket.prototype || isSecure;
  if (!isKind || !("_handle" in socket)) return undefined;
  const handle = socket._handle;
  const isKnown =
    typeof handle === "object" &&
    handle !== null &&
    "useUserBuffer" in handle &&
    "readStop" in handle &&
    typeof handle.readStop === "function";
  return isKnown ? (handle as unknown as SocketHandle) : undefined;
}
