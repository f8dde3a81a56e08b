import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { inject } from "vitest";
import { askRabbit } from "./rabbit-admin.ts";
import { type ScopedRabbit, scopedRabbit } from "./scoped-rabbit.ts";
import type { SharedRabbitAnswer, SharedRabbitQuestion } from "./shared-rabbit-server.ts";

/**
 * A virtual host of its own at the RabbitMQ of this run, for tests that neither end nor fill nor configure the node: nobody
 * sees there what others have. With `stop` it is gone, with its connections.
 */
export async function shareRabbit(): Promise<ScopedRabbit> {
  const { place } = await asked({ type: "place" });
  if (place === undefined) throw new Error("want the place of the RabbitMQ of this run");
  const vhost = `test-${randomBytes(6).toString("hex")}`;
  await askRabbit(place, `vhosts/${vhost}`, { method: "PUT" });
  const all = { configure: ".*", write: ".*", read: ".*" };
  await askRabbit(place, `permissions/${vhost}/guest`, { method: "PUT", body: all });
  const stop = () => askRabbit<void>(place, `vhosts/${vhost}`, { method: "DELETE" });
  const ctl = async (...args: readonly string[]) => (await asked({ type: "ctl", args })).printed ?? "";
  return scopedRabbit({ ...place, stop, ctl }, { vhost });
}

/** Asks the process that runs the tests: it has started the node, or does now. */
async function asked(question: SharedRabbitQuestion): Promise<SharedRabbitAnswer> {
  const socket = connect(inject("sharedRabbit"));
  try {
    socket.write(`${JSON.stringify(question)}\n`);
    for await (const line of createInterface({ input: socket })) {
      const answer = JSON.parse(line) as SharedRabbitAnswer;
      if (answer.failed !== undefined) throw new Error(`The RabbitMQ of this run: ${answer.failed}`);
      return answer;
    }
    throw new Error("The RabbitMQ of this run: no answer");
  } finally {
    socket.destroy();
  }
}
