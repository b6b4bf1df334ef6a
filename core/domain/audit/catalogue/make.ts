import { type Code, event, interaction, restful } from '../formats/codes.ts'
import type { AuditClass, BalpProfile, CatalogueEntry, FhirAction, FhirMapping } from './entry.ts'

type Also = { refused?: string; failed?: string; severity?: number }
type Make = (title: string, did: string, tried: string, fhir: FhirMapping, also?: Also) => CatalogueEntry

const of =
  (area: AuditClass, severity: number): Make =>
  (title, did, tried, fhir, also = {}) => ({ class: area, title, did, tried, fhir, severity, ...also })

/* What an event is about, with the severity that is usual for it. */
export const access = of('access', 3)
export const administration = of('administration', 4)
export const communication = of('communication', 2)
export const security = of('security', 5)
export const consent = of('consent', 3)
export const system = of('system', 2)

const rest = (verb: 'read' | 'create' | 'update' | 'delete', action: FhirAction, balp: BalpProfile): FhirMapping => ({
  type: restful,
  subtype: interaction(verb),
  action,
  balp,
})
/* Its FHIR mapping: the interactions of IHE BALP, and the DICOM codes for the rest. */
export const read = rest('read', 'R', 'Read')
export const create = rest('create', 'C', 'Create')
export const update = rest('update', 'U', 'Update')
export const remove = rest('delete', 'D', 'Delete')
export const dcm = (type: Code, action: FhirAction, subtype: Code | null = null): FhirMapping => ({
  type,
  subtype,
  action,
})
export const activity = (action: FhirAction) => dcm(event.activity, action)
export const login = dcm(event.authentication, 'E', event.login)
export const logout = dcm(event.authentication, 'E', event.logout)
export const alert = dcm(event.alert, 'E')
export const configuration = (action: FhirAction) => dcm(event.alert, action, event.softwareConfiguration)
export const roles = (action: FhirAction) => dcm(event.alert, action, event.roles)
export const restricted = dcm(event.alert, 'E', event.restricted)
export const logUsed = (action: FhirAction = 'R') => dcm(event.logUsed, action)
