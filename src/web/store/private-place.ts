import { isLoopbackHost } from "../../lib/net/host-port.ts";

/** Whether a token that is typed into a page of this address stays between the browser and the coordinator. */
export function isPrivatePlace({ protocol, hostname }: Pick<URL, "protocol" | "hostname">): boolean {
  return protocol === "https:" || isLoopbackHost(hostname);
}
