"""Drives Neutron's API by openstacksdk, and prints what it met as JSON.

Usage: openstack-sdk.py ENDPOINT FLOATING-IP-ADDRESS INTERNAL-ADDRESS
"""

import json
import sys

import openstack
from openstack import exceptions

endpoint, outside, inside = sys.argv[1:]
network = openstack.connection.Connection(auth_type="none", endpoint=endpoint).network

floating_ip = network.find_ip(outside, ignore_missing=False)
port = network.find_port(inside, ignore_missing=False)
base = {"internal_port_id": port.id, "internal_ip_address": inside, "protocol": "tcp"}


def refused(call):
    try:
        call()
        return None
    except exceptions.HttpException as error:
        return [error.status_code, error.details]


forwards = [
    network.create_floating_ip_port_forwarding(floating_ip, internal_port=number, external_port=6000 + number, **base)
    for number in range(1, 6)
]
ranged = network.create_floating_ip_port_forwarding(
    floating_ip, internal_port_range="80:89", external_port_range="8080:8089", **base
)
paged = [one.id for one in network.floating_ip_port_forwardings(floating_ip, limit=2)]
by_port = [one.id for one in network.floating_ip_port_forwardings(floating_ip, internal_port_id=port.id)]
by_number = [one.internal_port for one in network.floating_ip_port_forwardings(floating_ip, external_port=6003)]
first = forwards[0]
duplicate = refused(
    lambda: network.create_floating_ip_port_forwarding(floating_ip, internal_port=1, external_port=7000, **base)
)
updated = network.update_floating_ip_port_forwarding(floating_ip.id, first.id, external_port=7001, description="new")
network.delete_floating_ip_port_forwarding(floating_ip.id, forwards[1].id)
gone = refused(lambda: network.get_floating_ip_port_forwarding(floating_ip.id, forwards[1].id))

print(
    json.dumps(
        {
            "floating_ip": floating_ip.floating_ip_address,
            "paged": paged == sorted(one.id for one in [*forwards, ranged]),
            "by_port": len(by_port),
            "by_number": by_number,
            "duplicate": duplicate,
            "updated": [updated.id == first.id, updated.external_port, updated.internal_port, updated.description],
            "gone": gone,
            "left": sorted(
                str(one.external_port or one.external_port_range)
                for one in network.floating_ip_port_forwardings(floating_ip)
            ),
            "extensions": "floating-ip-port-forwarding" in [one.alias for one in network.extensions()],
            "single_port_range": first.external_port_range,
            "external_networks": [one.is_router_external for one in network.networks(is_router_external=True)],
            "routers": [one.name for one in network.routers()],
        }
    )
)
