import type { z } from "zod";
import { FanfoldError } from "../../lib/errors.ts";
import { withSafeText } from "../../protocol/names/peer-text.ts";
import type { PortRequest } from "../port/port-request.ts";

/** What a request brings, checked. @throws FanfoldError `usage`, `payload-too-large` or `damaged` */
export async function bodyOf<T>(request: PortRequest, schema: z.ZodType<T>): Promise<T> {
  const type = request.headers["content-type"] ?? "";
  // A page of another site can send no JSON without asking first.
  if (!/^application\/json(;|$)/i.test(type))
    throw new FanfoldError("usage", 'cannot read the request: want the content type "application/json"');
  let value: unknown;
  try {
    value = JSON.parse(await request.body());
  } catch (cause) {
    if (cause instanceof FanfoldError) throw cause;
    throw new FanfoldError("usage", "cannot read the request: its body is not JSON", { cause });
  }
  const result = schema.safeParse(value);
  if (result.success) return withSafeText(result.data);
  const [issue] = result.error.issues;
  const where = issue === undefined ? "" : ` at "${issue.path.join(".")}": ${issue.message}`;
  throw new FanfoldError("usage", `cannot read the request: unexpected value${where}`, { cause: result.error });
}
