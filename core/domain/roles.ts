/** What a person may do. Each role is granted explicitly and pinned to the person's cross-signing identity. */
export const roles = ['admin', 'compliance', 'supervisor', 'clinician', 'desk'] as const
export type Role = (typeof roles)[number]

export const isRole = (value: string): value is Role => (roles as readonly string[]).includes(value)

/** A role that includes others' commands: an administrator configures, but reads no patient data by that. */
const includes: Record<Role, readonly Role[]> = {
  admin: ['admin'],
  compliance: ['compliance'],
  supervisor: ['supervisor', 'clinician', 'desk'],
  clinician: ['clinician'],
  desk: ['desk'],
}

/** May somebody who holds these roles use what `needs` names? `anyone` needs no role. */
export const permits = (held: readonly Role[], needs: readonly Role[] | 'anyone'): boolean =>
  needs === 'anyone' || held.some(role => includes[role].some(r => needs.includes(r)))
