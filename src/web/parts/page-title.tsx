import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { takeArrival } from "../store/place.ts";

interface PageTitleProps {
  readonly isUnseen?: boolean;
  readonly children: ComponentChildren;
}

/** The heading of a page. A link that leads to the page leads the focus to it, too, as soon as it is there. */
export function PageTitle({ isUnseen = false, children }: PageTitleProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => {
    if (takeArrival()) heading.current?.focus();
  }, []);
  return (
    <h1 ref={heading} class={isUnseen ? "unseen" : ""} tabIndex={-1}>
      {children}
    </h1>
  );
}
