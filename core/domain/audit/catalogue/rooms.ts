import type { EventsOf } from './entry.ts'
import { access, administration, communication, create, roles, update } from './make.ts'

/** Rooms, and who is in them. */
export const roomEvents = {
  'room.create': administration('Room made', 'made {object}[ ({class})]', 'make a room', create),
  'room.archive': administration('Room archived', 'archived {object}', 'archive {object}', update),
  'room.member': administration(
    'Membership changed',
    'changed who is in a room: {object}',
    'change who is in a room: {object}',
    roles('U'),
  ),
  'room.speak': communication('Room told', 'wrote a notice into a care room[ ({what})]', 'write a notice', create),
  'room.join': access('Joined', 'joined {object}', 'join {object}', roles('C')),
  'room.leave': access('Left', 'left {object}', 'leave {object}', roles('D')),
  'room.invite': administration('Invited', 'invited {subject} to {object}', 'invite {subject}', roles('C')),
  'room.kick': administration('Removed', 'took {subject} out of {object}', 'take {subject} out', roles('D')),
  'room.ban': administration('Banned', 'banned {subject} from {object}', 'ban {subject}', roles('D'), { severity: 6 }),
  'room.unban': administration('Unbanned', 'let {subject} be invited to {object} again', 'unban {subject}', roles('U')),
  'room.knock': access('Knocked', 'asked to be let into {object}', 'be let into {object}', roles('E')),
  'power.change': administration('Power changed', 'changed who may do what in {object}', 'change power', roles('U'), {
    severity: 6,
  }),
} as const satisfies EventsOf<'room' | 'power'>
