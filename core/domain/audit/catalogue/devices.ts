import { event } from '../formats/codes.ts'
import type { EventsOf } from './entry.ts'
import { dcm, security } from './make.ts'

/** Devices and cross-signing identities. */
export const deviceEvents = {
  'device.create': security(
    'Device made',
    'made a device: {object}[ ({kind})]',
    'make a device',
    dcm(event.alert, 'C', event.userSecurity),
    {
      severity: 3,
    },
  ),
  'device.delete': security(
    'Device deleted',
    'deleted a device: {object}',
    'delete a device',
    dcm(event.alert, 'D', event.userSecurity),
    {
      severity: 3,
    },
  ),
  'device.renew': security(
    'Waiting device renewed',
    'renewed the waiting device of {object}',
    'renew the waiting device of {object}',
    dcm(event.alert, 'U', event.userSecurity),
    { severity: 3 },
  ),
  'device.change': security(
    'Devices changed',
    'changed {object}[: {added} added, {removed} removed][, cross-signing {identity}]',
    'change their devices',
    dcm(event.alert, 'U', event.userSecurity),
  ),
  'crypto.reset': security(
    'Bot given a new identity',
    'gave the bot[ {bot}] a new device, {object}[; identity {identity}]',
    'give a bot a new device',
    dcm(event.alert, 'U', event.securityConfiguration),
    { severity: 8 },
  ),
} as const satisfies EventsOf<'device' | 'crypto'>
