// SPDX-License-Identifier: GPL-2.0
/*
 * Reads and sets the one-shot tryboot flag of a Raspberry Pi's firmware, for which Debian's kernel has no interface:
 * /sys/module/hangar_tryboot/parameters/armed is 1 if the next boot is a trial. On a machine without this firmware the
 * module still loads, and the parameter returns ENODEV.
 */
#include <linux/module.h>
#include <linux/of.h>
#include <soc/bcm2835/raspberrypi-firmware.h>

/* Raspberry Pi's own kernel uses these tags for `reboot "0 tryboot"`. */
#define GET_REBOOT_FLAGS 0x00030064
#define SET_REBOOT_FLAGS 0x00038064
#define FLAG_TRYBOOT BIT(0)
/* Firmware that does not know a tag leaves this value unchanged. */
#define UNANSWERED 0xffffffff

static int exchange(u32 tag, u32 *value)
{
	struct device_node *node = rpi_firmware_find_node();
	struct rpi_firmware *firmware;
	__le32 message = cpu_to_le32(*value);
	int error;

	if (!node)
		return -ENODEV;
	firmware = rpi_firmware_get(node);
	of_node_put(node);
	if (!firmware)
		return -ENODEV;
	error = rpi_firmware_property(firmware, tag, &message, sizeof(message));
	rpi_firmware_put(firmware);
	*value = le32_to_cpu(message);
	return error;
}

static int set_armed(const char *text, const struct kernel_param *parameter)
{
	bool armed;
	u32 flags;
	int error = kstrtobool(text, &armed);

	if (error)
		return error;
	flags = armed ? FLAG_TRYBOOT : 0;
	return exchange(SET_REBOOT_FLAGS, &flags);
}

static int get_armed(char *text, const struct kernel_param *parameter)
{
	u32 flags = UNANSWERED;
	int error = exchange(GET_REBOOT_FLAGS, &flags);

	if (error)
		return error;
	if (flags == UNANSWERED)
		return -EOPNOTSUPP;
	return sysfs_emit(text, "%d\n", flags & FLAG_TRYBOOT ? 1 : 0);
}

static const struct kernel_param_ops armed_operations = {
	.set = set_armed,
	.get = get_armed,
};
module_param_cb(armed, &armed_operations, NULL, 0600);
MODULE_PARM_DESC(armed, "1 if the next boot is a trial, else 0");

MODULE_DESCRIPTION("The tryboot flag of a Raspberry Pi's firmware");
MODULE_LICENSE("GPL");
