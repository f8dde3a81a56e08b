import WebSocket from "ws";
import { abortError } from "../lib/abort.ts";
import { BoundedQueue } from "../lib/bounded-queue.ts";
import { FanfoldError, reasonOf, systemCode } from "../lib/errors.ts";
import { formatHostPort } from "../lib/host-port.ts";
import { PORT_PATHS } from "../protocol/coordinator-port.ts";
import { CONTROL_BYTES_MAX } from "../protocol/limits.ts";
import {
  type ClientMessage,
  type CoordinatorMessage,
  decodeCoordinatorMessage,
  encodeControl,
} from "../protocol/messages/control.ts";
import { withSafeText } from "../protocol/names/peer-text.ts";
import type { CoordinatorAddress } from "./address.ts";
import { watchQuiet } from "./quiet-watch.ts";

/** One WebSocket to the coordinator [P-1.1]. */
export interface ControlLink {
  send(message: ClientMessage): void;
  /** What the coordinator says; ends when the link ends. Iterate it once. */
  readonly messages: AsyncIterable<CoordinatorMessage>;
  /** Resolves with why the link ended. Never rejects. */
  readonly closed: Promise<FanfoldError>;
  /** Sends what waits and closes. Idempotent. */
  close(): Promise<void>;
}

interface ControlLinkOptions {
  readonly answerWithinMs?: number;
  /** Told when the coordinator does not answer, though its connection stands, and when it answers again. */
  readonly onQuiet?: (isQuiet: boolean) => void;
}

const HANDSHAKE_TIMEOUT_MS = 10_000;
/** The coordinator pings every 5 s: silence for longer than this is a dead link. */
const SILENCE_MS_MAX = 20_000;
const CLOSE_TIMEOUT_MS = 1_000;
const MESSAGES_WAITING_MAX = 1_000;

/**
 * Opens the control channel.
 *
 * @throws FanfoldError `coordinator-unreachable` (worth another try), `not-a-coordinator` or `refused` (not worth it)
 */
export function openControlLink(
  address: CoordinatorAddress,
  signal: AbortSignal,
  options: ControlLinkOptions = {},
): Promise<ControlLink> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(abortError(signal));
    const where = formatHostPort(address);
    const socket = new WebSocket(`ws://${where}${PORT_PATHS.control}`, {
      handshakeTimeout: Math.min(HANDSHAKE_TIMEOUT_MS, options.answerWithinMs ?? HANDSHAKE_TIMEOUT_MS),
      maxPayload: CONTROL_BYTES_MAX,
      perMessageDeflate: false,
      followRedirects: false,
    });
    const link = watch(socket, where, options.onQuiet ?? (() => undefined));
    function abort(): void {
      socket.terminate();
      reject(abortError(signal));
    }
    signal.addEventListener("abort", abort, { once: true });
    socket.once("open", () => {
      signal.removeEventListener("abort", abort);
      resolve(link);
    });
    socket.once("unexpected-response", (_request, response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (text: string) => {
        body = (body + text).slice(0, 1_000);
      });
      response.on("end", () => {
        reject(refusal(where, response.statusCode ?? 0, body.trim()));
        socket.terminate();
      });
    });
    socket.once("error", (cause) => {
      signal.removeEventListener("abort", abort);
      reject(connectFailure(where, cause));
    });
  });
}

function watch(socket: WebSocket, where: string, onQuiet: (isQuiet: boolean) => void): ControlLink {
  const queue = new BoundedQueue<CoordinatorMessage>({ limit: MESSAGES_WAITING_MAX, sizeOf: () => 1 });
  const closed = Promise.withResolvers<FanfoldError>();
  let failure: FanfoldError | undefined;
  const silence = setTimeout(
    () =>
      end(
        new FanfoldError(
          "coordinator-lost",
          `cannot listen to the coordinator at ${where}: silent for ${SILENCE_MS_MAX / 1000} s`,
        ),
      ),
    SILENCE_MS_MAX,
  );
  silence.unref();
  const quiet = watchQuiet(onQuiet);
  const heard = (): void => {
    silence.refresh();
    quiet.heard();
  };
  function end(error: FanfoldError): void {
    failure ??= error;
    socket.terminate();
  }
  socket.on("ping", heard);
  socket.on("message", (data, isBinary) => {
    heard();
    try {
      if (isBinary)
        throw new FanfoldError(
          "damaged",
          `cannot listen to the coordinator at ${where}: found binary data, expected JSON text`,
        );
      if (!queue.push(withSafeText(decodeCoordinatorMessage(String(data)))))
        throw new FanfoldError("damaged", `cannot listen to the coordinator at ${where}: too many messages at once`);
    } catch (thrown) {
      end(FanfoldError.from(thrown));
    }
  });
  socket.on("error", (cause) => {
    const text = `cannot listen to the coordinator at ${where}: ${reasonOf(cause)}`;
    failure ??= new FanfoldError("coordinator-lost", text, { cause });
  });
  socket.on("close", (code, reason) => {
    clearTimeout(silence);
    quiet[Symbol.dispose]();
    queue.end();
    const why = reason.length > 0 ? reason.toString() : `connection closed (${code})`;
    closed.resolve(
      failure ?? new FanfoldError("coordinator-lost", `cannot listen to the coordinator at ${where}: ${why}`),
    );
  });
  return {
    send: (message) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(encodeControl(message));
    },
    messages: queue,
    closed: closed.promise,
    async close() {
      const timer = setTimeout(() => socket.terminate(), CLOSE_TIMEOUT_MS);
      socket.close(1000);
      await closed.promise;
      clearTimeout(timer);
    },
  };
}

function connectFailure(where: string, cause: Error): FanfoldError {
  const first = cause instanceof AggregateError && cause.errors[0] instanceof Error ? cause.errors[0] : cause;
  const code = systemCode(first) ?? systemCode(cause);
  if (code?.startsWith("HPE_") === true) return notACoordinator(where, "it does not speak HTTP", cause);
  const timeout = /handshake has timed out/i.test(cause.message) ? "no answer" : reasonOf(first);
  return new FanfoldError(
    "coordinator-unreachable",
    `cannot connect to the coordinator at ${where}: ${timeout}; is "fanfold coordinator" running there?`,
    { cause },
  );
}

function refusal(where: string, status: number, body: string): FanfoldError {
  if (status === 403)
    return new FanfoldError(
      "refused",
      `cannot connect to the coordinator at ${where}: ${body === "" ? "refused" : body}`,
    );
  if (status === 503)
    return new FanfoldError("coordinator-unreachable", `cannot connect to the coordinator at ${where}: not ready yet`);
  return notACoordinator(where, `it answers with HTTP status ${status}`);
}

function notACoordinator(where: string, found: string, cause?: unknown): FanfoldError {
  const text = `cannot connect to the coordinator at ${where}: something else answers there (${found}); check the port`;
  return new FanfoldError("not-a-coordinator", text, { cause });
}
