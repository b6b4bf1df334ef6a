import type { EventsOf } from './entry.ts'
import { access, administration, consent, create, read, remove, update } from './make.ts'

/** Patients, their caregivers and their consents. */
export const patientEvents = {
  'patient.enrol': administration('Patient enrolled', 'enrolled {object}', 'enrol a patient', create),
  'patient.ready': administration(
    'Care room ready',
    'opened the care room of {object}',
    'open the care room of {object}',
    update,
    { failed: 'could not make the care room of {object}' },
  ),
  'patient.close': administration('Patient closed', 'closed {object}', 'close {object}', update, { severity: 5 }),
  'patient.erase': administration(
    'End of a record decided',
    'decided that the record of {object} ends[, approved by {approved_by}][: {messages} messages]',
    'end the record of {object}',
    remove,
    { severity: 8 },
  ),
  'patient.view': access('Patient viewed', 'looked at {object}[, {count} patients]', 'look at {object}', read),
  'patient.change': administration('Patient changed', 'changed {object}[ ({what})]', 'change {object}', update),
  'caregiver.add': administration('Caregiver added', 'added {object} as caregiver', 'add a caregiver', create),
  'caregiver.remove': administration('Caregiver removed', 'took out {object}', 'take out {object}', remove),
  'consent.record': consent(
    'Consent recorded',
    "recorded {object}'s consent[ to {scope}][, text version {version}][, {method}]",
    'record a consent of {object}',
    create,
  ),
  'consent.revoke': consent(
    'Consent withdrawn',
    "withdrew {object}'s consent[ to {scope}]",
    'withdraw a consent of {object}',
    update,
    { severity: 5 },
  ),
  'consent.view': access('Consents viewed', 'looked at the consents of {object}', 'look at consents', read),
} as const satisfies EventsOf<'patient' | 'caregiver' | 'consent'>
