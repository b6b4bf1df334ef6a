const ends: (() => Promise<unknown>)[] = []

/** Keeps what several measurements share until the run ends; ended in reverse order. */
export const afterRun = (end: () => Promise<unknown>): void => {
  ends.push(end)
}

/** Ends everything that was kept; every end is tried. @throws the first failure. */
export const endRun = async (): Promise<void> => {
  const failures: unknown[] = []
  for (const end of ends.splice(0).reverse()) await end().catch(error => failures.push(error))
  if (failures.length > 0) throw failures[0]
}
