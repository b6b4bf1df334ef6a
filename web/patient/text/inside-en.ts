/** Words of the signed-in part of the patient page, around the conversation. Loaded with it. */
export const insideEn = {
  title: 'Your messages',
  menu: 'Menu',
  closeMenu: 'Close the menu',
  callUs: 'Call us',
  callClinic: (clinic: string, phone: string) => `Call us: ${clinic}, ${phone}`,
  about: 'Who answers, and when',
  permissions: 'My permissions',
  logOff: 'Log off',
  language: 'Language',
  close: 'Close',
  private: 'Only you and your care team can read these messages.',

  offline: 'You are offline. What you write stays here and is sent when you are back.',
  serverDown: 'We cannot reach your clinic right now. We keep trying. What you write stays here.',
  connected: 'You are connected again.',
  afterHours: 'Your care team is away now.',

  aboutTitle: 'Who answers, and when',
  teamTitle: 'Your care team',
  emergencyTitle: 'In an emergency',
  privateTitle: 'Who can read this',
  privateText:
    'Your messages are locked on this device and unlocked on the devices of your care team. The text message that you got holds no health information. When you log off, nothing stays on this device.',
  notDiary: 'Your care team keeps the messages as part of your care.',

  consentTitle: 'My permissions',
  consentIntro: 'You decide what your clinic may send you. You can change this at any time.',
  consentYes: 'Yes',
  consentNo: 'No',
  consentOn: 'You said yes',
  consentOff: 'You said no, or never said yes',
  consentSince: (when: string) => `since ${when}`,
  consentHow: { written: 'on paper', verbal: 'by word', page: 'on this page' },
  consentVersion: (version: number) => `Text version ${version}`,
  consentAsk: (title: string) => `May we? ${title}`,
  consentSaved: 'Your choice is saved.',
  consentFailed: 'Your choice could not be saved. Please try again.',
  consentCareOff: 'If you say no here, your clinic stops texting you links to your messages.',
  loading: 'One moment…',
  tryAgain: 'Try again',

  idleTitle: 'Are you still there?',
  idleText: (left: string) => `To keep your messages private, we log you off in ${left}.`,
  idleKept: 'What you have written is kept.',
  stay: 'Yes, stay here',
  seconds: (n: number) => (n === 1 ? '1 second' : `${n} seconds`),
  minutes: (n: number) => (n === 1 ? '1 minute' : `${n} minutes`),

  reauthTitle: 'Please confirm again that it is you',
  reauthText: 'You have been here for an hour. Nothing that you wrote is lost.',

  leaveTitle: 'Log off?',
  leaveText:
    'Your messages are locked again and this link is used up. We text you a new link when your care team writes, or when you ask for one.',
  leaveDraft: 'What you were writing is saved for next time.',
  leaveUnsent: 'A message was not sent yet. If you log off now, it is lost.',
  leaveYes: 'Log off',
  leaveNo: 'Stay here',
}

export type InsideWords = typeof insideEn
