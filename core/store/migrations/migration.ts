/** One append-only step of the schema. A released one is never edited. */
export type Migration = {
  name: string
  up: string
  /** Old code must not run on the new schema: it refuses to start. */
  breaking?: true
}
