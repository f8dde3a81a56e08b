import { z } from "zod";
import { limitOrderSchema } from "./message-schemas.ts";

/** To hold a member to a limit: a rate, a timetable or `off`. `default` takes the order back. */
export const limitChangeSchema = z.strictObject({ limit: limitOrderSchema });

/** `told`: whether the member is connected, and has been told. Else it is told when it is back. */
export const limitAnswerSchema = z.object({ limit: z.string().max(1024), told: z.boolean() });
export type LimitAnswer = z.infer<typeof limitAnswerSchema>;
