/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The table of methods, and the check of parameters against it. */

#include "method.h"

const struct control_method control_methods[] = {
	{ "org.varlink.service.GetInfo",
	  CONTROL_LOOK,
	  control_get_info,
	  { { 0 } },
	  "vendor: string, product: string, version: string, url: string, interfaces: []string",
	  "What this service is" },
	{ "org.varlink.service.GetInterfaceDescription",
	  CONTROL_LOOK,
	  control_get_interface_description,
	  { { "interface", PARAMETER_STRING, false } },
	  "description: string",
	  "The text of an interface" },
	{ "org.siptls.GetSummary",
	  CONTROL_LOOK,
	  control_get_summary,
	  { { 0 } },
	  "summary: Summary",
	  "Figures of the daemon as a whole" },
	{ "org.siptls.ListWarnings",
	  CONTROL_LOOK,
	  control_list_warnings,
	  { { 0 } },
	  "warnings: []string",
	  "What the configuration in force allows and probably does not mean. In parts with "
	  "\"more\"" },
	{ "org.siptls.ListSessions",
	  CONTROL_LOOK,
	  control_list_sessions,
	  { { "peer", PARAMETER_STRING, true } },
	  "sessions: []Session",
	  "All sessions, or those of one entry or of the entry with this member, in order of id. "
	  "With \"more\" in parts: a "
	  "session that lives all the while is told exactly once. Without, ExpectedMore if "
	  "they are too many for one answer" },
	{ "org.siptls.GetSession",
	  CONTROL_LOOK,
	  control_get_session,
	  { { "id", PARAMETER_ID, false } },
	  "session: Session",
	  "One session" },
	{ "org.siptls.CloseSessions",
	  CONTROL_OPERATE,
	  control_close_sessions,
	  { { "ids", PARAMETER_IDS, false } },
	  "closed: []int, unknown: []int",
	  "End sessions, with the reason admin-closed. The answer comes when all are told to "
	  "end" },
	{ "org.siptls.ListPeers",
	  CONTROL_LOOK,
	  control_list_peers,
	  { { 0 } },
	  "peers: []Peer",
	  "The entries of the topology and their figures. In parts with \"more\"" },
	{ "org.siptls.ListPorts",
	  CONTROL_LOOK,
	  control_list_ports,
	  { { 0 } },
	  "ports: []Port",
	  "Addresses that are listened on. In parts with \"more\"" },
	{ "org.siptls.LookupBackend",
	  CONTROL_LOOK,
	  control_lookup_backend,
	  { { "address", PARAMETER_STRING, false } },
	  "session: Session",
	  "Who is behind this connection of the SIP server, ADDRESS:PORT: of one that it accepted, "
	  "the address that it sees as the peer (backend_local); of one that it dialled, its own "
	  "address (backend)" },
	{ "org.siptls.ListRefusals",
	  CONTROL_LOOK,
	  control_list_refusals,
	  { { "peer", PARAMETER_STRING, true } },
	  "refusals: []Refusal",
	  "Connections that were refused and sessions that ended for no everyday reason: the last "
	  "ones, or those of one entry or of the entry with this member, newest first. In parts "
	  "with \"more\"" },
	{ "org.siptls.Explain",
	  CONTROL_LOOK,
	  control_explain,
	  { { "id", PARAMETER_ID, false } },
	  "explanation: Explanation, links: []Link, rules: []Rule, left_out: ?int",
	  "Judge a session or what ListRefusals has once more, rule by rule, under what is in "
	  "force. left_out: rules that are too many for one answer" },
	{ "org.siptls.Probe",
	  CONTROL_OPERATE,
	  control_probe,
	  { { "peer", PARAMETER_STRING, false } },
	  "admitted: bool, reason: string, detail: ?string, session: Session, links: []Link",
	  "Dial an entry or a member of one now, judge it, and end the connection" },
	{ "org.siptls.ListEntries",
	  CONTROL_LOOK,
	  control_list_entries,
	  { { 0 } },
	  "entries: []Entry",
	  "The topology as it is in force. In parts with \"more\"" },
	{ "org.siptls.GetEntry",
	  CONTROL_LOOK,
	  control_get_entry,
	  { { "name", PARAMETER_STRING, false } },
	  "entry: Entry",
	  "The entry with this name or a member of this name" },
	{ "org.siptls.ListBlocks",
	  CONTROL_LOOK,
	  control_list_blocks,
	  { { 0 } },
	  "blocks: []Block",
	  "Who is never trusted. In parts with \"more\"" },
	{ "org.siptls.ListCertificates",
	  CONTROL_LOOK,
	  control_list_certificates,
	  { { 0 } },
	  "certificates: []Certificate",
	  "Certificates of this server and of all anchors. In parts with \"more\"" },
	{ "org.siptls.ListCrls",
	  CONTROL_LOOK,
	  control_list_crls,
	  { { 0 } },
	  "crls: []Crl",
	  "The revocation lists that are known. In parts with \"more\"" },
	{ "org.siptls.ListSources",
	  CONTROL_LOOK,
	  control_list_sources,
	  { { 0 } },
	  "sources: []Source",
	  "Where revocation lists come from. In parts with \"more\"" },
	{ "org.siptls.RefreshRevocation",
	  CONTROL_OPERATE,
	  control_refresh_revocation,
	  { { 0 } },
	  "",
	  "Begin to fetch and read every source now. The answer does not wait for it" },
	{ "org.siptls.Reload",
	  CONTROL_ADMINISTER,
	  control_reload,
	  { { 0 } },
	  "summary: string",
	  "Read the configuration again. The answer comes when it is in force; an error means "
	  "that nothing has changed" },
	{ "org.siptls.Stage",
	  CONTROL_ADMINISTER,
	  control_stage,
	  { { 0 } },
	  "summary: string",
	  "Read and prepare the configuration without putting it in force, in the place of "
	  "what was staged before" },
	{ "org.siptls.Commit",
	  CONTROL_ADMINISTER,
	  control_commit,
	  { { "at", PARAMETER_ID, true } },
	  "generation: int, commit_at: ?int",
	  "Put what is staged in force: now, or at this time, in seconds since 1970, when "
	  "commit_at repeats it" },
	{ "org.siptls.Abort",
	  CONTROL_ADMINISTER,
	  control_abort,
	  { { 0 } },
	  "",
	  "Drop what is staged" },
	{ "org.siptls.Preview",
	  CONTROL_ADMINISTER,
	  control_preview,
	  { { "staged", PARAMETER_BOOL, true },
	    { "at", PARAMETER_ID, true },
	    { "crl", PARAMETER_STRING, true } },
	  "lines: []string, sessions: []Ending",
	  "Which sessions would end: if what is staged were put in force (lines tell what it "
	  "changes), by a time because certificates end, or if the lists in a file of this "
	  "absolute path were known. Exactly one of the three. In parts with \"more\"" },
	{ 0 },
};

const struct control_method *control_method_find(const char *name)
{
	for (const struct control_method *m = control_methods; m->name; m++) {
		if (strcmp(m->name, name) == 0)
			return m;
	}
	return NULL;
}

static bool is_id(const json_t *value)
{
	return json_is_integer(value) && json_integer_value(value) >= 0;
}

static bool is_ids(const json_t *value)
{
	if (!json_is_array(value))
		return false;
	for (size_t i = 0; i < json_array_size(value); i++) {
		if (!is_id(json_array_get(value, i)))
			return false;
	}
	return true;
}

static bool is_string(const json_t *value)
{
	return json_is_string(value) && json_string_length(value) > 0;
}

static bool is_bool(const json_t *value)
{
	return json_is_boolean(value);
}

static const struct {
	const char *name, *optional_name;
	bool (*check)(const json_t *value);
} types[_PARAMETER_TYPE_MAX] = {
	[PARAMETER_ID] = { "int", "?int", is_id },
	[PARAMETER_IDS] = { "[]int", "?[]int", is_ids },
	[PARAMETER_STRING] = { "string", "?string", is_string },
	[PARAMETER_BOOL] = { "bool", "?bool", is_bool },
};

const char *control_parameter_type_name(const struct control_parameter *parameter)
{
	return parameter->optional ? types[parameter->type].optional_name
				   : types[parameter->type].name;
}

static const struct control_parameter *parameter_find(const struct control_method *method,
						      const char *name)
{
	for (size_t i = 0; i < CONTROL_PARAMETERS_MAX && method->parameters[i].name; i++) {
		if (strcmp(method->parameters[i].name, name) == 0)
			return &method->parameters[i];
	}
	return NULL;
}

const char *control_method_check(const struct control_method *method, json_t *parameters)
{
	const char *key;
	json_t *value;

	json_object_foreach (parameters, key, value) {
		if (!parameter_find(method, key))
			return key;
	}
	for (size_t i = 0; i < CONTROL_PARAMETERS_MAX && method->parameters[i].name; i++) {
		const struct control_parameter *expected = &method->parameters[i];

		value = json_object_get(parameters, expected->name);
		if (!value || json_is_null(value)) {
			if (!expected->optional)
				return expected->name;
		} else if (!types[expected->type].check(value)) {
			return expected->name;
		}
	}
	return NULL;
}
