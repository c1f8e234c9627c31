import { type KeyboardEvent, type ReactNode, useEffect, useRef } from 'react';

export interface TabItem<K extends string> {
  readonly key: K;
  readonly label: ReactNode;
}

export interface TabsProps<K extends string> {
  readonly label: string;
  readonly tabs: readonly TabItem<K>[];
  readonly selected: K;
  readonly onSelect: (key: K) => void;
}

/** Sideways and in the list alone: `scrollIntoView` would move the page, too, down to a list that is below the fold. */
function scrollWithin(list: Element, tab: Element): void {
  const [outer, inner] = [list.getBoundingClientRect(), tab.getBoundingClientRect()];
  if (inner.left < outer.left) list.scrollLeft -= outer.left - inner.left;
  else if (inner.right > outer.right) list.scrollLeft += inner.right - outer.right;
}

/** A tab list by the ARIA pattern: arrows, Home and End move, one tab stop for the list. */
export function Tabs<K extends string>({ label, tabs, selected, onSelect }: TabsProps<K>) {
  const list = useRef<HTMLDivElement>(null);
  // On a narrow screen the list scrolls: what is selected, also by an address, is what is seen.
  const selectedIndex = tabs.findIndex((tab) => tab.key === selected);
  useEffect(() => {
    const element = list.current;
    const button = element?.querySelectorAll('[role=tab]')[selectedIndex];
    if (!element || !button) return;
    // told at once, and whenever the list becomes narrower
    const observer = new ResizeObserver(() => scrollWithin(element, button));
    observer.observe(element);
    return () => observer.disconnect();
  }, [selectedIndex]);
  const onKeyDown = (event: KeyboardEvent) => {
    const target =
      event.key === 'ArrowRight'
        ? (selectedIndex + 1) % tabs.length
        : event.key === 'ArrowLeft'
          ? (selectedIndex - 1 + tabs.length) % tabs.length
          : event.key === 'Home'
            ? 0
            : event.key === 'End'
              ? tabs.length - 1
              : -1;
    const tab = tabs[target];
    if (!tab) return;
    event.preventDefault();
    onSelect(tab.key);
    list.current?.querySelectorAll<HTMLButtonElement>('[role=tab]')[target]?.focus();
  };
  return (
    <div className="tabs" role="tablist" aria-label={label} ref={list} onKeyDown={onKeyDown}>
      {tabs.map((tab) => (
        <button
          type="button"
          role="tab"
          key={tab.key}
          className="tabs__tab"
          aria-selected={tab.key === selected}
          tabIndex={tab.key === selected ? 0 : -1}
          onClick={() => onSelect(tab.key)}
        >
          {tab.label}
        </button>
      ))}
    </div>
  );
}
