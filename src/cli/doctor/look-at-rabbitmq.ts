import type { ChannelModel } from "amqplib";
import { abortable } from "../../lib/async/abort.ts";
import { connectError } from "../../transport/amqp/amqp-errors.ts";
import { amqpServers, openAmqp } from "../../transport/amqp/open-amqp.ts";
import type { AmqpTarget } from "../../transport/target.ts";
import { formatBytes } from "../../words/format.ts";
import { type BrokerLook, type DoctorFinding, Look } from "./finding.ts";

/** The oldest that the tests run with. */
const VERSION_MIN = [3, 10] as const;
const FRAME_WANTED_BYTES = 128 * 1024;
/** A broker with an alarm says so at once, and answers no more. */
const ALARM_WITHIN_MS = 3_000;
const NOWHERE = "fanfold.doctor";

/** @throws FanfoldError as a coordinator gets it that cannot connect */
export async function lookAtRabbitmq(
  target: AmqpTarget,
  { look, signal }: BrokerLook,
): Promise<readonly DoctorFinding[]> {
  const [server] = await amqpServers(target.url, signal);
  if (server === undefined) return [look.error("the URL names no server", "name one with --broker")];
  const open = await openAmqp(target, { server, name: "fanfold doctor", signal }).catch((thrown: unknown) => {
    throw connectError(target, thrown);
  });
  try {
    const { product, version } = propertiesOf(open.model);
    const alarm = await alarmFinding(open.model, signal);
    return [
      look.ok(`${product} ${version} at ${server.listen}`),
      versionFinding(version),
      frameFinding(open.model),
      alarm,
    ];
  } finally {
    await open.close();
  }
}

function propertiesOf({ connection }: ChannelModel): { readonly product: string; readonly version: string } {
  const { product, version } = connection.serverProperties;
  return { product, version };
}

function versionFinding(version: string): DoctorFinding {
  const look = new Look("broker-version", `RabbitMQ ${VERSION_MIN.join(".")} or newer`);
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const isNew = major > VERSION_MIN[0] || (major === VERSION_MIN[0] && minor >= VERSION_MIN[1]);
  return isNew ? look.ok(version) : look.warning(version, "update RabbitMQ");
}

function frameFinding({ connection }: ChannelModel): DoctorFinding {
  const look = new Look("broker-payload", `a frame_max of ${formatBytes(FRAME_WANTED_BYTES)} or more`);
  const bytes = "frameMax" in connection && typeof connection.frameMax === "number" ? connection.frameMax : undefined;
  if (bytes === undefined) return look.skipped("the broker does not tell it");
  const found = bytes === 0 ? "no limit" : `frame_max is ${formatBytes(bytes)}`;
  if (bytes === 0 || bytes >= FRAME_WANTED_BYTES) return look.ok(found);
  return look.warning(`${found}: copies work, and cost more time of processors`, "raise frame_max in rabbitmq.conf");
}

/**
 * A message that no queue gets: the broker drops it. One whose memory or disk runs low takes none, and says why to who
 * publishes.
 */
async function alarmFinding(model: ChannelModel, signal: AbortSignal): Promise<DoctorFinding> {
  const look = new Look("broker-alarm", "a broker that has memory and disk, and takes messages");
  const blocked = new Promise<string>((resolve) => model.once("blocked", (why: string) => resolve(why)));
  const channel = await abortable(model.createConfirmChannel(), signal);
  // It is told by the confirm, too.
  channel.on("error", () => undefined);
  const confirmed = new Promise<unknown>((resolve) => channel.publish("", NOWHERE, Buffer.alloc(0), {}, resolve));
  const late = new Promise<string>((resolve) => {
    setTimeout(() => resolve("it does not confirm a message"), ALARM_WITHIN_MS).unref();
  });
  const found = await abortable(Promise.race([blocked, confirmed.then(() => undefined), late]), signal);
  if (found === undefined) return look.ok("it takes messages");
  const todo = "make room on the broker's disk or in its memory: rabbitmqctl status shows the alarm";
  return look.error(`the broker takes no messages: ${found}`, todo);
}
