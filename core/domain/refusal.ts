/** An expected refusal: a value with a sentence for the person who asked. Bugs and outages are thrown instead. */
export type Refusal = { readonly refused: true; readonly code: string; readonly sentence: string }

export const refuse = (code: string, sentence: string): Refusal => ({ refused: true, code, sentence })

export const isRefusal = (value: unknown): value is Refusal =>
  typeof value === 'object' && value !== null && (value as { refused?: unknown }).refused === true
