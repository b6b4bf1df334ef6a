/** Which rooms of the staff's own making the records bot is in (the setting `records.coverage`). */
export const coverages = ['none', 'staff', 'staff_and_direct'] as const
export type Coverage = (typeof coverages)[number]

/** What such a room is: `direct` when it was made as a chat of two. */
export type CoverageClass = 'staff' | 'direct'

export const covers = (coverage: Coverage, kind: CoverageClass): boolean =>
  coverage === 'staff_and_direct' || (coverage === 'staff' && kind === 'staff')
