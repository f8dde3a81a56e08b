/**
 * The type of the file system that holds a path. Its mount point is the longest one that begins the path, and the last
 * one made there.
 *
 * @param mounts text of `/proc/self/mountinfo`
 */
export function mountType(path: string, mounts: string): string | undefined {
  let best: { readonly point: string; readonly type: string } | undefined;
  for (const line of mounts.split("\n")) {
    const [head = "", tail = ""] = line.split(" - ");
    const point = head
      .split(" ")[4]
      ?.replaceAll(/\\(\d{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
    const [type = ""] = tail.split(" ");
    if (point === undefined || type === "") continue;
    const holds = point === "/" || path === point || path.startsWith(`${point}/`);
    if (holds && point.length >= (best?.point.length ?? 0)) best = { point, type };
  }
  return best?.type;
}
