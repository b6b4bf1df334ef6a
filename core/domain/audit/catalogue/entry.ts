import type { AuditAction } from '../event.ts'
import type { Code } from '../formats/codes.ts'

/** What an event is about, for reports and filters. */
export const auditClasses = ['access', 'administration', 'communication', 'security', 'consent', 'system'] as const
export type AuditClass = (typeof auditClasses)[number]

/** Create, read, update, delete, execute (FHIR `AuditEvent.action`). */
export type FhirAction = 'C' | 'R' | 'U' | 'D' | 'E'
/** The basic profile of IHE BALP that an event follows when it was done; with a patient, the Patient profile of the same name. */
export type BalpProfile = 'Read' | 'Create' | 'Update' | 'Delete'

export type FhirMapping = { type: Code; subtype: Code | null; action: FhirAction; balp?: BalpProfile }

/**
 * One action as people and other systems are told of it. Sentences are verb phrases after the actor: `did` when it was done, `tried` after "tried to"; `refused` and
 * `failed` replace "tried to …" where that would read wrong. `{object}` and any `{key}` of the detail are filled in; a part in [brackets] goes when a value is missing.
 */
export type CatalogueEntry = {
  class: AuditClass
  title: string
  did: string
  tried: string
  refused?: string
  failed?: string
  fhir: FhirMapping
  /** CEF, 0 to 10, when it was done; refusals and failures are graver (core/domain/audit/formats/cef.ts). Its signature id is the action. */
  severity: number
}

/** Every action of some nouns with its entry: the compiler asks each area's file for all of them, and for no other. */
export type EventsOf<Noun extends string> = Record<Extract<AuditAction, `${Noun}.${string}`>, CatalogueEntry>
