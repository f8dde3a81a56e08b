import { isLoopbackHost } from "../../lib/net/host-port.ts";
import type { CoordinatorAddress } from "../../member/address.ts";
import type { Welcome } from "../../member/inbox.ts";
import type { DeltaMode } from "../../protocol/delta-mode.ts";
import type { HeldMoment } from "../session/held-back.ts";
import { heldPlace, isHeldByLink } from "../session/held-back.ts";
import { SOURCE_DEFAULTS } from "../source-defaults.ts";
import { LINK_BYTES_PER_SECOND_MAX } from "./link-probe.ts";
import type { RecipesPay } from "./recipe-choice.ts";

/** The mode of a session. Where no frame leaves the machine, making a recipe takes longer than sending the file. */
export function deltaModeOf(
  mode: DeltaMode = SOURCE_DEFAULTS.delta,
  { sealing }: Pick<Welcome, "sealing">,
  { host }: CoordinatorAddress,
): DeltaMode {
  const isOnThisMachine = sealing === "free" && isLoopbackHost(host);
  return mode === "auto" && isOnThisMachine ? "off" : mode;
}

/** Content flows: what holds it back is not the making of recipes, or the answers to them. */
const FLOW_BYTES_PER_SECOND_MIN = 1024 * 1024;
/**
 * Whether recipes make the copy faster at this moment, by what its content is held back by; undefined: it does not tell.
 * `flowBytesPerSecond`: what was measured of content that flowed; undefined: none did. Pure.
 */
export function recipesPay(moment: HeldMoment, flowBytesPerSecond: number | undefined): RecipesPay {
  if (flowBytesPerSecond === undefined) return undefined;
  if (flowBytesPerSecond > LINK_BYTES_PER_SECOND_MAX) return false;
  if (isHeldByLink(moment)) return flowBytesPerSecond;
  const place = heldPlace(moment);
  // A sink that has not said yet where its time goes seems to be held by its link.
  const isElsewhere = place !== undefined && place !== "link";
  return isElsewhere && moment.sentBytesPerSecond >= FLOW_BYTES_PER_SECOND_MIN ? false : undefined;
}
