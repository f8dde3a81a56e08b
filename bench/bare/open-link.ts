import type { BareLink, BareLoop } from "./loop.ts";

/** Loads only the library that is needed. */
export async function openLink({ kind, url, id }: BareLoop): Promise<BareLink> {
  return kind === "nats"
    ? await (await import("./nats-link.ts")).openNatsLink(url, id)
    : await (await import("./amqp-link.ts")).openAmqpLink(url, id);
}
