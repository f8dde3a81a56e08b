import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { TestProject } from "vitest/node";
import { tempFolder } from "./broker-process.ts";
import type { ScopedRabbitNode } from "./scoped-rabbit.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Where test processes ask for the RabbitMQ that they share: a socket. */
    readonly sharedRabbit: string;
  }
}

/** One line of JSON. */
export type SharedRabbitQuestion =
  | { readonly type: "place" }
  | { readonly type: "ctl"; readonly args: readonly string[] };

/** The same, once for each question. */
export interface SharedRabbitAnswer {
  readonly place?: Omit<ScopedRabbitNode, "ctl" | "stop">;
  readonly printed?: string;
  readonly failed?: string;
}

/** Before all tests of a run: nothing is started until somebody asks, and then once for all of them. */
export async function setup({ vitest }: TestProject): Promise<(() => Promise<void>) | undefined> {
  // The projects of a run share it, too.
  if ("sharedRabbit" in vitest.getRootProject().getProvidedContext()) return undefined;
  const folder = await tempFolder("shared-rabbit");
  let starting: Promise<ScopedRabbitNode> | undefined;
  const answer = async (question: SharedRabbitQuestion): Promise<SharedRabbitAnswer> => {
    starting ??= start();
    const { ctl, stop: _, ...place } = await starting;
    return question.type === "ctl" ? { printed: await ctl(...question.args) } : { place };
  };
  const server = createServer((socket) => serve(socket, answer)).listen(join(folder.path, "socket"));
  await once(server, "listening");
  vitest.provide("sharedRabbit", join(folder.path, "socket"));
  return async () => {
    server.close();
    await (await starting?.catch(() => undefined))?.stop();
    await folder.remove();
  };
}

/** What it needs is loaded when it is wanted: most runs are of a few files. */
async function start(): Promise<ScopedRabbitNode> {
  const { startScopedNode } = await import("./scoped-rabbit.ts");
  return await startScopedNode();
}

function serve(socket: Socket, answer: (question: SharedRabbitQuestion) => Promise<SharedRabbitAnswer>): void {
  // A test process may be gone before its answer.
  socket.on("error", () => undefined);
  createInterface({ input: socket }).once("line", async (line) => {
    const failed = (cause: unknown) => ({ failed: cause instanceof Error ? cause.message : String(cause) });
    socket.end(`${JSON.stringify(await answer(JSON.parse(line) as SharedRabbitQuestion).catch(failed))}\n`);
  });
}
