import type { Socket } from "node:net";
import { abortError } from "../async/abort.ts";
import { reasonOf } from "../errors.ts";
import type { ServerPlace } from "./server-place.ts";
import { tlsFailure } from "./tls-failure.ts";

/** `secureConnect` comes when the handshake of TLS is over, and the verification, where there is one. */
type Ready = "connect" | "secureConnect";

/**
 * Resolves when a socket is connected. Else the socket is destroyed.
 *
 * @throws FanfoldError `tls-failed`, `clock-off`, `certificate-wanted`, that of `unreachable`, or the reason of the signal
 */
export function connected(socket: Socket, ready: Ready, server: ServerPlace, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    let failure: unknown;
    const over = (): void => {
      signal.removeEventListener("abort", abort);
      socket.off("close", closed);
    };
    const closed = (): void => {
      over();
      const found = failure === undefined ? "it broke the connection" : reasonOf(failure);
      reject(tlsFailure(server.what, failure, server.trust) ?? server.unreachable(found, failure));
    };
    const abort = (): void => {
      over();
      socket.destroy();
      reject(abortError(signal));
    };
    // It stays: an error that nobody listens to ends the process.
    socket.on("error", (error) => {
      failure ??= error;
    });
    socket.once("close", closed);
    socket.once(ready, () => {
      over();
      resolve();
    });
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  });
}
