package headers

// network: netioapi.h.
func (h *Of) network() {
	guid := h.Word.C("GUID", "uint32 Data1\nuint16 Data2, Data3\nuint8 Data4[8]")
	h.Interface = h.Word.C("MIB_IF_ROW2", `
		uint64 InterfaceLuid
		uint32 InterfaceIndex
		GUID InterfaceGuid
		uint16 Alias[257], Description[257] // IF_MAX_STRING_SIZE + 1
		uint32 PhysicalAddressLength
		uint8 PhysicalAddress[32], PermanentPhysicalAddress[32]
		uint32 Mtu, Type, TunnelType, MediaType, PhysicalMediumType, AccessType, DirectionType
		uint8 InterfaceAndOperStatusFlags // eight bits
		uint32 OperStatus, AdminStatus, MediaConnectState
		GUID NetworkGuid
		uint32 ConnectionType
		uint64 TransmitLinkSpeed, ReceiveLinkSpeed
		uint64 InOctets, InUcastPkts, InNUcastPkts, InDiscards, InErrors, InUnknownProtos
		uint64 InUcastOctets, InMulticastOctets, InBroadcastOctets
		uint64 OutOctets, OutUcastPkts, OutNUcastPkts, OutDiscards, OutErrors
		uint64 OutUcastOctets, OutMulticastOctets, OutBroadcastOctets, OutQLen`, guid)
	h.Interfaces = h.Word.C("MIB_IF_TABLE2", "uint32 NumEntries\nMIB_IF_ROW2 Table[1]", h.Interface)
}

// sockets: the rows with owners of tcpmib.h and udpmib.h.
func (h *Of) sockets() {
	h.TCP4 = h.Word.C("MIB_TCPROW_OWNER_PID", "uint32 dwState, dwLocalAddr, dwLocalPort, dwRemoteAddr, dwRemotePort, dwOwningPid")
	h.TCP6 = h.Word.C("MIB_TCP6ROW_OWNER_PID", `
		uint8 ucLocalAddr[16]
		uint32 dwLocalScopeId, dwLocalPort
		uint8 ucRemoteAddr[16]
		uint32 dwRemoteScopeId, dwRemotePort, dwState, dwOwningPid`)
	h.UDP4 = h.Word.C("MIB_UDPROW_OWNER_PID", "uint32 dwLocalAddr, dwLocalPort, dwOwningPid")
	h.UDP6 = h.Word.C("MIB_UDP6ROW_OWNER_PID", "uint8 ucLocalAddr[16]\nuint32 dwLocalScopeId, dwLocalPort, dwOwningPid")
}

// statistics: tcpmib.h, udpmib.h and ipmib.h.
func (h *Of) statistics() {
	h.TCPStatistics = h.Word.C("MIB_TCPSTATS", `
		uint32 dwRtoAlgorithm, dwRtoMin, dwRtoMax, dwMaxConn, dwActiveOpens, dwPassiveOpens
		uint32 dwAttemptFails, dwEstabResets, dwCurrEstab, dwInSegs, dwOutSegs, dwRetransSegs, dwInErrs, dwOutRsts, dwNumConns`)
	h.UDPStatistics = h.Word.C("MIB_UDPSTATS", "uint32 dwInDatagrams, dwNoPorts, dwInErrors, dwOutDatagrams, dwNumAddrs")
	h.IPStatistics = h.Word.C("MIB_IPSTATS", `
		uint32 dwForwarding, dwDefaultTTL, dwInReceives, dwInHdrErrors, dwInAddrErrors, dwForwDatagrams, dwInUnknownProtos
		uint32 dwInDiscards, dwInDelivers, dwOutRequests, dwRoutingDiscards, dwOutDiscards, dwOutNoRoutes
		uint32 dwReasmTimeout, dwReasmReqds, dwReasmOks, dwReasmFails, dwFragOks, dwFragFails, dwFragCreates
		uint32 dwNumIf, dwNumAddr, dwNumRoutes`)
}
