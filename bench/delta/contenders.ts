import type { Contender, Entrant } from "../contenders/contender.ts";
import { HERE } from "../contenders/crew.ts";
import { fanfold } from "../contenders/fanfold.ts";
import { enterBorg, enterRestic } from "../contenders/repository.ts";
import { enterRsync } from "../contenders/rsync.ts";
import type { Network } from "../uplink/network.ts";
import type { ContenderName } from "./cases.ts";

/** Without a network, all are on this machine. */
export function entrantOf(name: ContenderName, network: Network | undefined): Entrant {
  switch (name) {
    case "rsync": {
      const { place } = network ?? { place: HERE };
      return enterRsync({ host: network?.source.address ?? HERE.host, daemon: place.source, client: place.sink }, true);
    }
    case "borg":
      return enterBorg();
    case "restic":
      return enterRestic();
    default: {
      const beyond = network === undefined ? {} : { place: network.place, isGuarded: true };
      return { contender: fanfold("embedded", { broker: undefined, delta: name, ...beyond }), version: "" };
    }
  }
}

/** Makes the copies of which fanfold's sinks remember the pieces, on this machine. */
export function remembering(): Contender {
  return fanfold("embedded", { broker: undefined, delta: "off" });
}

export function isOfFanfold(name: ContenderName): boolean {
  return name === "off" || name === "auto" || name === "on";
}

/** Others write to a disk. */
export function isOverNetwork(name: ContenderName): boolean {
  return name === "rsync" || isOfFanfold(name);
}
