/** How soon a page wants an answer (row 37). `stat` is never held, batched, throttled or lowered by anything. */
export const priorities = ['routine', 'urgent', 'stat'] as const
export type Priority = (typeof priorities)[number]

export const isPriority = (value: string): value is Priority => (priorities as readonly string[]).includes(value)

const rank = (p: Priority): number => priorities.indexOf(p)

export const isHigher = (a: Priority, than: Priority): boolean => rank(a) > rank(than)

export const higher = (a: Priority, b: Priority): Priority => (isHigher(b, a) ? b : a)
