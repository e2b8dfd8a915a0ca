/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The table of methods, and the check of parameters against it. */

#include "method.h"

const struct control_method control_methods[] = {
	{ "org.varlink.service.GetInfo",
	  CONTROL_LOOK,
	  control_get_info,
	  { 0 },
	  "vendor: string, product: string, version: string, url: string, interfaces: []string",
	  "What this service is" },
	{ "org.varlink.service.GetInterfaceDescription",
	  CONTROL_LOOK,
	  control_get_interface_description,
	  { "interface", PARAMETER_STRING, false },
	  "description: string",
	  "The text of an interface" },
	{ "org.siptls.GetSummary",
	  CONTROL_LOOK,
	  control_get_summary,
	  { 0 },
	  "summary: Summary",
	  "Figures of the daemon as a whole" },
	{ "org.siptls.ListSessions",
	  CONTROL_LOOK,
	  control_list_sessions,
	  { "peer", PARAMETER_STRING, true },
	  "sessions: []Session",
	  "All sessions, or those of one peer, in order of id. With \"more\" in parts: a session "
	  "that "
	  "lives all the while is told exactly once. Without, ExpectedMore if they are too many "
	  "for "
	  "one answer" },
	{ "org.siptls.GetSession",
	  CONTROL_LOOK,
	  control_get_session,
	  { "id", PARAMETER_ID, false },
	  "session: Session",
	  "One session" },
	{ "org.siptls.CloseSessions",
	  CONTROL_OPERATE,
	  control_close_sessions,
	  { "ids", PARAMETER_IDS, false },
	  "closed: []int, unknown: []int",
	  "End sessions, with the reason admin-closed. The answer comes when all are told to end" },
	{ "org.siptls.ListPeers",
	  CONTROL_LOOK,
	  control_list_peers,
	  { 0 },
	  "peers: []Peer",
	  "The entries of the topology. In parts with \"more\"" },
	{ "org.siptls.ListPorts",
	  CONTROL_LOOK,
	  control_list_ports,
	  { 0 },
	  "ports: []Port",
	  "Addresses that are listened on. In parts with \"more\"" },
	{ "org.siptls.LookupBackend",
	  CONTROL_LOOK,
	  control_lookup_backend,
	  { "address", PARAMETER_STRING, false },
	  "session: Session",
	  "Who is behind this address, which the SIP server sees as the peer: ADDRESS:PORT" },
	{ "org.siptls.Reload",
	  CONTROL_ADMINISTER,
	  control_reload,
	  { 0 },
	  "summary: string",
	  "Read the configuration again. The answer comes when it is in force; an error means that "
	  "nothing has changed" },
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

static const struct {
	const char *name, *optional_name;
	bool (*check)(const json_t *value);
} types[_PARAMETER_TYPE_MAX] = {
	[PARAMETER_ID] = { "int", "?int", is_id },
	[PARAMETER_IDS] = { "[]int", "?[]int", is_ids },
	[PARAMETER_STRING] = { "string", "?string", is_string },
};

const char *control_parameter_type_name(const struct control_parameter *parameter)
{
	return parameter->optional ? types[parameter->type].optional_name
				   : types[parameter->type].name;
}

const char *control_method_check(const struct control_method *method, json_t *parameters)
{
	const struct control_parameter *expected = &method->parameter;
	const json_t *value;
	const char *key;
	json_t *other;

	json_object_foreach (parameters, key, other) {
		if (!expected->name || strcmp(key, expected->name) != 0)
			return key;
	}
	if (!expected->name)
		return NULL;
	value = json_object_get(parameters, expected->name);
	if (!value || json_is_null(value))
		return expected->optional ? NULL : expected->name;
	return types[expected->type].check(value) ? NULL : expected->name;
}
