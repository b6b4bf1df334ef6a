/** A code of FHIR (R4 `Coding`). */
export type Code = { system: string; code: string; display: string }

export const dicom = 'http://dicom.nema.org/resources/ontology/DCM'
const terminology = 'http://terminology.hl7.org/CodeSystem'

const dcm = (code: string, display: string): Code => ({ system: dicom, code, display })

/** DICOM's kinds of audit events (PS3.16, CID 400 and 401), as FHIR R4 names them. */
export const event = {
  activity: dcm('110100', 'Application Activity'),
  logUsed: dcm('110101', 'Audit Log Used'),
  export: dcm('110106', 'Export'),
  patientRecord: dcm('110110', 'Patient Record'),
  alert: dcm('110113', 'Security Alert'),
  authentication: dcm('110114', 'User Authentication'),
  start: dcm('110120', 'Application Start'),
  stop: dcm('110121', 'Application Stop'),
  login: dcm('110122', 'Login'),
  logout: dcm('110123', 'Logout'),
  node: dcm('110126', 'Node Authentication'),
  securityConfiguration: dcm('110129', 'Security Configuration'),
  softwareConfiguration: dcm('110131', 'Software Configuration'),
  restricted: dcm('110132', 'Use of Restricted Function'),
  recordingStopped: dcm('110133', 'Audit Recording Stopped'),
  recordingStarted: dcm('110134', 'Audit Recording Started'),
  objectSecurity: dcm('110135', 'Object Security Attributes Changed'),
  roles: dcm('110136', 'Security Roles Changed'),
  userSecurity: dcm('110137', 'User security Attributes Changed'),
} as const

/** The roles that agents have in IHE BALP; client and server change sides with the direction of the data. */
export const agentRole = {
  source: dcm('110153', 'Source Role ID'),
  destination: dcm('110152', 'Destination Role ID'),
  application: dcm('110150', 'Application'),
  custodian: { system: `${terminology}/provenance-participant-type`, code: 'custodian', display: 'Custodian' },
  recipient: { system: `${terminology}/v3-ParticipationType`, code: 'IRCP', display: 'information recipient' },
  author: { system: `${terminology}/v3-ParticipationType`, code: 'AUT', display: 'author (originator)' },
} as const satisfies Record<string, Code>

export const restful: Code = { system: `${terminology}/audit-event-type`, code: 'rest', display: 'RESTful Operation' }

export const interaction = (code: 'read' | 'create' | 'update' | 'delete'): Code => ({
  system: 'http://hl7.org/fhir/restful-interaction',
  code,
  display: code,
})

export const entityType = {
  person: { system: `${terminology}/audit-entity-type`, code: '1', display: 'Person' },
  system: { system: `${terminology}/audit-entity-type`, code: '2', display: 'System Object' },
} as const satisfies Record<string, Code>

export const objectRole = {
  patient: { system: `${terminology}/object-role`, code: '1', display: 'Patient' },
  report: { system: `${terminology}/object-role`, code: '3', display: 'Report' },
  resource: { system: `${terminology}/object-role`, code: '4', display: 'Domain Resource' },
  job: { system: `${terminology}/object-role`, code: '20', display: 'Job' },
} as const satisfies Record<string, Code>

export const sourceType: Code = {
  system: `${terminology}/security-source-type`,
  code: '4',
  display: 'Application Server',
}
