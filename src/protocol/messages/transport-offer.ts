import { BROKER_CA_MAX } from "../limits.ts";
import type { Shaped } from "../shape/shape.ts";
import { shape } from "../shape/shapes.ts";

/** The authorities that vouch for a broker, instead of those that Node.js knows: each certificate as DER in base64. */
const certificates = shape
  .list(
    shape
      .text()
      .max(8192)
      .regex(/^[A-Za-z0-9+/]+={0,2}$/),
  )
  .min(1)
  .max(BROKER_CA_MAX);

/** What the coordinator tells a client of the transport; the client turns it into a TransportTarget. */
export const transportOfferShape = shape.variants("kind", [
  /** On the coordinator's own address and port, as this client reached it. */
  shape.object({
    kind: shape.literal("embedded"),
    ticket: shape.text().min(16).max(128),
    /** What is sealed may go without TLS [P-2.3]. */
    plain: shape.flag().optional(),
  }),
  shape.object({
    kind: shape.literal("nats"),
    url: shape.text().max(2048),
    /** Rights in this session only, for a while: a user's JWT and the seed of its key, as NATS writes them. */
    credentials: shape.object({ jwt: shape.text().max(4096), seed: shape.text().max(64) }).optional(),
    ca: certificates.optional(),
  }),
  shape.object({
    kind: shape.literal("amqp"),
    url: shape.text().max(2048),
    /** A sink's own: all that it gets and says goes through it. */
    exchange: shape.text().max(255).optional(),
    /** Rights in this session only, for a while: a JWT that stands in the place of a password. */
    credentials: shape.object({ token: shape.text().max(4096) }).optional(),
    ca: certificates.optional(),
  }),
]);
export type TransportOffer = Shaped<typeof transportOfferShape>;
