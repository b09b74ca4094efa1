import { z } from 'zod';
import { nameSchema } from './names.ts';
import { preferencesPatchSchema, preferencesSchema } from './preferences.ts';
import { timestampSchema } from './timestamp.ts';
import { tokenGetSchema } from './tokens.ts';

/** Letters, digits, `-` and `_`, 3 to 24 of them. */
export const usernameSchema = z.string().regex(/^[A-Za-z0-9-_]{3,24}$/, 'expected 3 to 24 letters, digits, - or _');

/** An e-mail address in its stored form: lower case. */
export const emailSchema = z
  .string()
  .trim()
  .max(254, 'expected at most 254 characters')
  .toLowerCase()
  .regex(
    /^[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/,
    'expected an e-mail address',
  );

/** At least eight characters, at most 200, of any kind. The server also refuses common passwords. */
export const newPasswordSchema = z
  .string()
  .min(8, 'expected at least 8 characters')
  .max(200, 'expected at most 200 characters');

/** The rule of Pipeline Cloud's registration: also a digit, a lower-case and an upper-case letter. */
const registrationPasswordSchema = newPasswordSchema
  .regex(/[0-9]/, 'expected a digit')
  .regex(/[a-z]/, 'expected a lower-case letter')
  .regex(/[A-Z]/, 'expected an upper-case letter');

/** The public fields of an account. */
export const userGetSchema = z.object({
  id: z.string(),
  email: z.string(),
  username: z.string(),
  firstname: z.string().nullish(),
  lastname: z.string().nullish(),
  company: z.string().nullish(),
  job_title: z.string().nullish(),
  avatar_colour: z.string().nullish(),
  avatar_image_url: z.string().nullish(),
  oauth_provider: z.string().nullish(),
  verified: z.boolean(),
  subscribed: z.boolean(),
  onboarded: z.boolean(),
  preferences: preferencesSchema.nullish(),
  role: z.enum(['owner', 'member']).optional(),
  /** The plan in force. */
  plan_id: z.string().optional(),
  two_factor: z.boolean().optional(),
  disabled: z.boolean().optional(),
  created_at: timestampSchema.optional(),
});
export type UserGet = z.infer<typeof userGetSchema>;

/** The account behind a token or session. */
export const userGetDetailedSchema = userGetSchema.extend({ tokens: z.array(tokenGetSchema) });
export type UserGetDetailed = z.infer<typeof userGetDetailedSchema>;

/** Fields that users may change in their own account. */
export const userPatchSchema = z.strictObject({
  username: usernameSchema.optional(),
  firstname: nameSchema.nullish(),
  lastname: nameSchema.nullish(),
  company: nameSchema.nullish(),
  job_title: nameSchema.nullish(),
  preferences: preferencesPatchSchema.optional(),
});
export type UserPatch = z.infer<typeof userPatchSchema>;

/** Fields that owners of the server may change in any account. */
export const userAdminPatchSchema = z
  .strictObject({ role: z.enum(['owner', 'member']).optional(), disabled: z.boolean().optional() })
  .refine((patch) => patch.role !== undefined || patch.disabled !== undefined, 'expected role or disabled');
export type UserAdminPatch = z.infer<typeof userAdminPatchSchema>;

export const registerSchema = z.strictObject({
  email: emailSchema,
  username: usernameSchema,
  password: registrationPasswordSchema,
});
export type Register = z.infer<typeof registerSchema>;

/** `login` is an e-mail address or a username; `code` a two-factor or recovery code. */
export const loginSchema = z.strictObject({
  login: z.string().min(1).max(254),
  password: z.string().min(1).max(200),
  code: z.string().max(40).nullish(),
});
export type Login = z.infer<typeof loginSchema>;

/** The token of a link that was sent. */
const linkTokenSchema = z.string().min(1).max(100);

/** The first account of a server. */
export const ownerSchema = z.strictObject({
  email: emailSchema,
  username: usernameSchema,
  password: newPasswordSchema,
});
export const setUpSchema = ownerSchema.extend({ token: linkTokenSchema });
/** The password of the account that asked for the link; not needed with a session of it. */
const linkOwner = { token: linkTokenSchema, password: z.string().min(1).max(200).nullish() };
export const verifyEmailSchema = z.strictObject(linkOwner);
export const forgotPasswordSchema = z.strictObject({ email: emailSchema });
/** What a recovery may keep of a verified account. */
export const recoveryKeepSchema = z.enum(['tokens', 'identities', 'webhooks', 'members']);
export type RecoveryKeep = z.infer<typeof recoveryKeepSchema>;
export const resetPasswordSchema = z.strictObject({
  token: linkTokenSchema,
  password: newPasswordSchema,
  keep: z.array(recoveryKeepSchema).max(4).optional(),
});
export type ResetPassword = z.infer<typeof resetPasswordSchema>;
/** What a recovery has ended: how much there was of each, and whether two-factor was turned off. */
export const recoverySchema = z.object({
  ended: z.object({
    sessions: z.number(),
    tokens: z.number(),
    identities: z.number(),
    webhooks: z.number(),
    members: z.number(),
    invitations: z.number(),
    memberships: z.number(),
    two_factor: z.boolean(),
  }),
});
export type Recovery = z.infer<typeof recoverySchema>;
/** Proof that who is signed in is there in person: the password and, where two-factor is on, a code. */
const proof = { password: z.string().min(1).max(200), code: z.string().max(40).nullish() };
export const changePasswordSchema = z.strictObject({
  current_password: proof.password,
  code: proof.code,
  new_password: newPasswordSchema,
  /** Whether the user's API tokens end as well. */
  revoke_tokens: z.boolean().optional(),
});
export const changeEmailSchema = z.strictObject({ email: emailSchema, ...proof });
export const confirmEmailSchema = z.strictObject(linkOwner);
/** Confirm in a session that the user is there in person. */
export const confirmSchema = z.strictObject(proof);
export const confirmationSchema = z.object({ confirmed_until: timestampSchema });
export const deleteAccountSchema = z.strictObject(proof);
export type Proof = z.infer<typeof deleteAccountSchema>;

/** Link a provider's account to the caller's account. */
export const identityCreateSchema = z.strictObject({ provider: z.string().min(1).max(40), ...proof });
export const authorizationUrlSchema = z.object({ authorization_url: z.string() });
/** A social identity linked to an account. */
export const identityGetSchema = z.object({
  id: z.string(),
  provider: z.string(),
  name: z.string(),
  created_at: timestampSchema,
  last_used: timestampSchema.nullable(),
});
export type IdentityGet = z.infer<typeof identityGetSchema>;
export const oauthProviderSchema = z.object({ name: z.string() });
/** `token` is the fragment (after #) of the page's URL. */
export const oauthCodeSchema = z.strictObject({ token: linkTokenSchema, code: z.string().min(1).max(40) });
/** Enabling two-factor requires the password; disabling it requires password and code. */
export const twoFactorPasswordSchema = z.strictObject({ password: proof.password });
export const twoFactorDisableSchema = z.strictObject(proof);
export const twoFactorConfirmSchema = z.strictObject({ code: z.string().min(1).max(40) });
export const twoFactorGetSchema = z.object({ secret: z.string(), uri: z.string() });
/** How many recovery codes are unused, of those that were made. */
export const recoveryCodesLeftSchema = z.object({ two_factor: z.boolean(), left: z.number(), of: z.number() });
export const recoveryCodesSchema = z.object({ recovery_codes: z.array(z.string()) });

/** A browser session. Writes that come with its cookie must carry `csrf_token` in the header X-CSRF-Token. */
export const sessionGetSchema = z.object({
  id: z.string(),
  user: userGetSchema,
  csrf_token: z.string(),
  expires_at: timestampSchema,
});
export type SessionGet = z.infer<typeof sessionGetSchema>;

/** One of a user's sessions in a list. */
export const sessionEntrySchema = z.object({
  id: z.string(),
  created_at: timestampSchema,
  last_seen: timestampSchema,
  expires_at: timestampSchema,
  address: z.string(),
  user_agent: z.string(),
  current: z.boolean(),
});
export type SessionEntry = z.infer<typeof sessionEntrySchema>;

/** One line of the audit log. */
export const auditEntrySchema = z.object({
  id: z.number(),
  at: timestampSchema,
  user_id: z.string().nullable(),
  token_id: z.string().nullable(),
  action: z.string(),
  subject: z.string().nullable(),
  project_id: z.string().nullable(),
  address: z.string().nullable(),
  request_id: z.string().nullable(),
  details: z.record(z.string(), z.unknown()),
});
export type AuditEntryGet = z.infer<typeof auditEntrySchema>;
