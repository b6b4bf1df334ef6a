import type { EventsOf } from './entry.ts'
import {
  access,
  activity,
  alert,
  communication,
  consent,
  create,
  login,
  logout,
  read,
  remove,
  restricted,
  security,
  update,
} from './make.ts'

/** Links in texts, and the sessions on the patient page that they open. */
export const linkEvents = {
  'link.create': access('Link made', 'made {object}[ ({reason})]', 'make a link', create),
  'link.tap': access('Link opened', 'opened {object}', 'open {object}', login),
  'link.verify': access(
    'Identity checked',
    'proved who they are[ by {factor}]',
    'prove who they are[ by {factor}]',
    login,
  ),
  'link.lock': security('Link locked', 'gave three wrong answers: {object} is locked', 'lock {object}', alert, {
    severity: 7,
  }),
  'link.renew': access(
    'New link asked for',
    'asked for a new link to {object}',
    'get a new link to {object}',
    activity('C'),
  ),
  'link.withdraw': access('Link withdrawn', 'withdrew {object}', 'withdraw {object}', remove),
  'link.not_me': security(
    'Not for me',
    'answered that {object} is not for them',
    'answer that {object} is not for them',
    alert,
    { severity: 6 },
  ),
  'session.start': access('Session started', 'signed in to the patient page', 'sign in to the patient page', login),
  'session.key': access('Key released', "got the conversation's key", "get the conversation's key", restricted),
  'session.end': access('Session ended', 'ended {object}', 'end {object}', logout),
  'session.extend': access('Session extended', 'asked for more time', 'get more time', activity('U')),
  'session.replace': access('Session replaced', 'ended {object}, because a newer one began', 'end {object}', logout),
  'session.read': access(
    'Conversation read',
    'read in the patient page[ ({what})]',
    'read in the patient page[ ({what})]',
    read,
    { failed: 'could not open the messages in the patient page[ ({code})]' },
  ),
  'session.write': access(
    'Conversation written',
    'sent from the patient page[ ({what})]',
    'send from the patient page',
    create,
  ),
  'session.consent': consent(
    'Consent changed on the page',
    'changed a consent on the page[: {scope}]',
    'change a consent on the page',
    update,
  ),
  'session.undecryptable': communication(
    'Message not decrypted',
    'could not decrypt {object} and asked for it again',
    'ask for {object} again',
    activity('E'),
    { severity: 5 },
  ),
} as const satisfies EventsOf<'link' | 'session'>
