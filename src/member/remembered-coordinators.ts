import { X509Certificate } from "node:crypto";
import { pinOf, samePin } from "../lib/crypto/public-key-pin.ts";
import { shape } from "../protocol/shape/shapes.ts";

/** How a coordinator was known when it let this member in: from then on it is known without a token. */
export interface RememberedCoordinator {
  /** HOST:PORT */
  readonly address: string;
  /** Of its key; empty where authorities vouch for it. */
  readonly pin: string;
  /** PEM of its certificate, or `authorities`. */
  readonly certificate: string;
}

/** Where a member keeps them between its runs. Both may throw FanfoldErrors. */
export interface CoordinatorMemory {
  /** Undefined when there is nothing. */
  read(): string | undefined;
  write(text: string): void;
}

export const COORDINATORS_FILE = "coordinators.json";
/** The newest are kept. */
const COORDINATORS_MAX = 16;
const ADDRESS_CHARS_MAX = 300;
const CERTIFICATE_CHARS_MAX = 16 * 1024;
/** Sixteen of the largest certificates, and what stands around them. */
export const COORDINATORS_BYTES_MAX = COORDINATORS_MAX * (CERTIFICATE_CHARS_MAX + 1024);

const BY_AUTHORITIES = "authorities";

const coordinatorShape = shape.either([
  shape.object({
    address: shape.text().max(ADDRESS_CHARS_MAX),
    pin: shape.text().regex(/^[a-z2-7]{52}$/),
    certificate: shape.text().max(CERTIFICATE_CHARS_MAX),
  }),
  shape.object({
    address: shape.text().max(ADDRESS_CHARS_MAX),
    pin: shape.literal(""),
    certificate: shape.literal(BY_AUTHORITIES),
  }),
]);
const listShape = shape.object({ coordinators: shape.list(shape.unknown()).max(COORDINATORS_MAX) });

/** Whether one can be kept, and its certificate is of its key. */
function isKnowable(coordinator: RememberedCoordinator): boolean {
  const { pin, certificate } = coordinatorShape.accept(coordinator) ?? {};
  return pin !== undefined && certificate !== undefined && (pin === "" || isOfKey(certificate, pin));
}

function isOfKey(certificate: string, pin: string): boolean {
  try {
    return samePin(pinOf(new X509Certificate(certificate)), pin);
  } catch {
    return false;
  }
}

/** @param certificate undefined: authorities vouch for it */
export function rememberedAs(address: string, pin: string, certificate: string | undefined): RememberedCoordinator {
  return { address, pin, certificate: certificate ?? BY_AUTHORITIES };
}

/** The one at an address; undefined also for a text that is no such list. */
export function findCoordinator(text: string | undefined, address: string): RememberedCoordinator | undefined {
  return listIn(text).find((known) => known.address === address);
}

/** The list with this one as its newest. Undefined when it says the same already, or nothing that is worth to be kept. */
export function withCoordinator(text: string | undefined, coordinator: RememberedCoordinator): string | undefined {
  if (!isKnowable(coordinator)) return undefined;
  const list = listIn(text);
  const known = list.find(({ address }) => address === coordinator.address);
  if (known?.pin === coordinator.pin && known.certificate === coordinator.certificate) return undefined;
  const others = list.filter((other) => other !== known).slice(0, COORDINATORS_MAX - 1);
  return `${JSON.stringify({ coordinators: [coordinator, ...others] }, undefined, 2)}\n`;
}

/** Those in a text that can be used; none in a text that is no such list. */
function listIn(text: string | undefined): readonly RememberedCoordinator[] {
  if (text === undefined || text.length > COORDINATORS_BYTES_MAX) return [];
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return [];
  }
  const found = listShape.accept(value)?.coordinators ?? [];
  return found.flatMap((each) => coordinatorShape.accept(each) ?? []).filter(isKnowable);
}
