/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The interfaces, their descriptions, and org.varlink.service, which tells about them. */

#include <siptls/version.h>
#include <stdio.h>

#include "method.h"
#include "types.h"

static const struct control_type *const siptls_types[] = {
	&control_type_session,
	&control_type_peer,
	&control_type_port,
	&control_type_counts,
	&control_type_totals,
	&control_type_kernel,
	&control_type_summary,
	&control_type_refusal,
	&control_type_explanation,
	&control_type_link,
	&control_type_rule,
	&control_type_ending,
	&control_type_entry,
	&control_type_member,
	&control_type_block,
	&control_type_certificate,
	&control_type_crl,
	&control_type_source,
	NULL,
};

static const struct control_error siptls_errors[] = {
	{ "SessionNotFound", "id: ?int, address: ?string",
	  "No session has this id or address; Explain: nor has a refusal that is remembered" },
	{ "PeerNotFound", "peer: string",
	  "The topology has no such entry; Probe: or there is no way to dial it" },
	{ "NothingStaged", "", "There is nothing to commit or to drop" },
	{ "PreviewFailed", "text: string", "The question could not be answered, and why" },
	{ "ConfigurationInvalid", "file: string, line: int, text: string",
	  "The configuration was refused, the one in force stays; line 0 is the file as a whole" },
	{ 0 },
};

static const struct control_error service_errors[] = {
	{ "InterfaceNotFound", "interface: string", "No such interface" },
	{ "MethodNotFound", "method: string", "No such method in this interface" },
	{ "InvalidParameter", "parameter: string", "Wrong, missing or unknown" },
	{ "PermissionDenied", "", "Not with the caller's credentials" },
	{ "ExpectedMore", "", "Too much for one answer: call with \"more\"" },
	{ 0 },
};

const struct control_interface control_interfaces[] = {
	{ "org.varlink.service", "About this service", NULL, service_errors },
	{ "org.siptls", "Look at siptlsd and operate it", siptls_types, siptls_errors },
	{ 0 },
};

const struct control_interface *control_interface_find(const char *name, size_t len)
{
	for (const struct control_interface *i = control_interfaces; i->name; i++) {
		if (strlen(i->name) == len && memcmp(i->name, name, len) == 0)
			return i;
	}
	return NULL;
}

static void describe_type(FILE *to, const struct control_type *type)
{
	char name[CONTROL_FIELD_TYPE_SIZE];

	fprintf(to, "\ntype %s (\n", type->name);
	for (const struct control_field *f = type->fields; f->name; f++)
		fprintf(to, "\t# %s\n\t%s: %s%s\n", f->text, f->name, control_field_type(f, name),
			f[1].name ? "," : "");
	fprintf(to, ")\n");
}

static void describe_method(FILE *to, const struct control_method *method)
{
	const struct control_parameter *parameters = method->parameters;

	fprintf(to, "\n# %s\nmethod %s(", method->text, strrchr(method->name, '.') + 1);
	for (size_t i = 0; i < CONTROL_PARAMETERS_MAX && parameters[i].name; i++)
		fprintf(to, "%s%s: %s", i ? ", " : "", parameters[i].name,
			control_parameter_type_name(&parameters[i]));
	fprintf(to, ") -> (%s)\n", method->returns);
}

int control_interface_describe(const struct control_interface *interface, char **ret)
{
	_cleanup_free_ char *text = NULL;
	size_t size, prefix = strlen(interface->name);
	FILE *to = open_memstream(&text, &size);
	bool failed;

	if (!to)
		return -ENOMEM;
	fprintf(to, "# %s\ninterface %s\n", interface->text, interface->name);
	for (size_t i = 0; interface->types && interface->types[i]; i++)
		describe_type(to, interface->types[i]);
	for (const struct control_method *m = control_methods; m->name; m++) {
		if (strncmp(m->name, interface->name, prefix) == 0 && m->name[prefix] == '.')
			describe_method(to, m);
	}
	for (const struct control_error *e = interface->errors; e->name; e++)
		fprintf(to, "\n# %s\nerror %s (%s)\n", e->text, e->name, e->parameters);
	failed = ferror(to);
	if (fclose(to) != 0 || failed)
		return -ENOMEM;
	*ret = steal_ptr(text);
	return 0;
}

int control_get_info(struct control_exchange *x)
{
	_cleanup_json_ json_t *names = json_array();

	for (const struct control_interface *i = control_interfaces; names && i->name; i++) {
		if (json_array_append_new(names, json_string(i->name)) < 0)
			return -ENOMEM;
	}
	return control_answer(x, json_pack("{s:s, s:s, s:s, s:s, s:O}", "vendor", "siptls",
					   "product", "siptlsd", "version", SIPTLS_VERSION, "url",
					   "", "interfaces", names));
}

int control_get_interface_description(struct control_exchange *x)
{
	const char *name = json_string_value(json_object_get(x->call.parameters, "interface"));
	const struct control_interface *interface = control_interface_find(name, strlen(name));
	_cleanup_free_ char *text = NULL;
	int r;

	if (!interface)
		return control_fail(x, "org.varlink.service.InterfaceNotFound",
				    json_pack("{s:s}", "interface", name));
	r = control_interface_describe(interface, &text);
	return r < 0 ? r : control_answer(x, json_pack("{s:s}", "description", text));
}
